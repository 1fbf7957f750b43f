#pragma once
#include <tiktrend/fetch/cookie_jar.hpp>

#include <curl/curl.h>

namespace tiktrend::fetch {

/// A share of cookies alone. One thread uses it, so it has no lock functions.
struct cookie_jar::impl {
    impl();
    ~impl();
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    CURLSH* share;
    std::size_t count = 0;
};

} // namespace tiktrend::fetch
