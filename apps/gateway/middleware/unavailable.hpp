#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// The one place of a request where unavailability is caught: Redis or PostgreSQL gone, refusing or too slow
/// becomes 503 `temporary-reduced-capacity` with Retry-After (ops.md 4, "Overload"). What the log sees stays
/// apart from what the client sees.
http::filter unavailable_as_503(logger log);

} // namespace tiktrend::gateway
