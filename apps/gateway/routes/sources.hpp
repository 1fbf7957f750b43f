#pragma once
#include <tiktrend/http/router.hpp>
#include <tiktrend/sources/registry.hpp>

namespace tiktrend::gateway {

/// GET /sources: every source definition in short, then the aliases (kind `alias`).
http::handler list_sources(const sources::registry& definitions);
/// GET /sources/{id}: one definition with the JSON Schema of its filters; 404 `source_not_found`.
http::handler get_source(const sources::registry& definitions);

} // namespace tiktrend::gateway
