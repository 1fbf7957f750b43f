#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// Warns once when a request brings X-Forwarded-For from a peer that TRUSTED_PROXIES does not name: then
/// every client behind that peer has one address, and shares its limits.
http::filter warn_of_untrusted_proxy(logger log);

} // namespace tiktrend::gateway
