#pragma once
#include <tiktrend/http/router.hpp>
#include <tiktrend/observe/registry.hpp>

#include <cstddef>

namespace tiktrend::gateway {

/// At most `limit` requests of one thread are worked on at once (0: any number); further ones get 503
/// `overloaded` with Retry-After at once, so that those inside are answered in time. Health answers always.
/// A stream counts until it begins. To be used on one executor.
http::filter admit_at_most(std::size_t limit, observe::registry& metrics);

} // namespace tiktrend::gateway
