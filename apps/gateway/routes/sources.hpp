#pragma once
#include "definitions.hpp"

#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// GET /sources: every source definition in short, then the aliases (kind `alias`).
http::handler list_sources(const definition_shelf& definitions);
/// GET /sources/{id}: one definition with the JSON Schema of its filters; 404 `source_not_found`.
http::handler get_source(const definition_shelf& definitions);

} // namespace tiktrend::gateway
