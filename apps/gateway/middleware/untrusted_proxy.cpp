#include "middleware/untrusted_proxy.hpp"

#include <memory>

namespace tiktrend::gateway {
namespace {

/// Of a trusted peer the client's address is one that the field names.
bool is_believed(const http::request& r) {
    return r.headers.get("X-Forwarded-For").find(r.remote_address) != std::string_view::npos;
}

} // namespace

http::filter warn_of_untrusted_proxy(logger log) {
    http::filter f;
    f.before = [log = std::move(log), has_warned = std::make_shared<bool>(false)](http::request& r) {
        if (!*has_warned && r.headers.has("X-Forwarded-For") && !is_believed(r)) {
            *has_warned = true;
            log.warn("forwarded_for_not_believed",
                     {{"peer", r.remote_address},
                      {"effect",
                       "its clients count as one address; if it is a balancer, name it in TRUSTED_PROXIES"}});
        }
        return std::optional<http::response>{};
    };
    return f;
}

} // namespace tiktrend::gateway
