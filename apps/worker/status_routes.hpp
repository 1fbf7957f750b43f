#pragma once
#include <tiktrend/http/router.hpp>
#include <tiktrend/observe/registry.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tiktrend::worker {

/// One thing that must be there for the worker to work.
struct readiness {
    std::string name;
    bool is_ok = false;
    std::string detail; ///< why not
};

/// What the operator's port needs to know. Called on the event loop.
struct status_source {
    std::function<std::vector<readiness>()> check;
    std::function<bool()> is_draining;
};

/// GET /health/live, /health/ready, /health and /metrics. Live as long as the loop turns, also while
/// draining.
http::router status_routes(const observe::registry& metrics, status_source source);

} // namespace tiktrend::worker
