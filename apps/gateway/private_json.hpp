#pragma once
#include <tiktrend/http/message.hpp>

#include <string>
#include <utility>

namespace tiktrend::gateway {

/// An answer that is the caller's own or true only now: no cache keeps it.
inline http::response private_json(int status, std::string body) {
    auto r = http::response::json(status, std::move(body));
    r.headers.set("Cache-Control", "no-store");
    return r;
}

} // namespace tiktrend::gateway
