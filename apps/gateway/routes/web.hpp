#pragma once
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// The pages of the gateway, for everybody (what they show asks for a key): GET / (dashboard), /docs,
/// /web/{file}, and /openapi.json, which is docs/openapi.yaml as JSON. Nothing on them comes from elsewhere.
void add_web_routes(http::router& routes);

} // namespace tiktrend::gateway
