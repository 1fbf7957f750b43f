#pragma once
#include <tiktrend/http/router.hpp>
#include <tiktrend/observe/registry.hpp>

#include <functional>

namespace tiktrend::gateway {

/// GET /metrics: lets `before` refresh what is sampled on demand, then answers in the format that the Accept
/// header asks for.
http::handler metrics(const observe::registry& registry, std::function<task<void>()> before);

} // namespace tiktrend::gateway
