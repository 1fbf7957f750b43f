#include "cookie_jar_impl.hpp"

#include <new>

namespace tiktrend::fetch {

cookie_jar::impl::impl() : share{curl_share_init()} {
    if (share == nullptr) throw std::bad_alloc{};
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
}
cookie_jar::impl::~impl() {
    curl_share_cleanup(share);
}

cookie_jar::cookie_jar() : impl_{std::make_unique<impl>()} {}
cookie_jar::~cookie_jar() = default;

std::size_t cookie_jar::size() const noexcept {
    return impl_->count;
}

} // namespace tiktrend::fetch
