#include "routes/cache_admin.hpp"

#include "query_reader.hpp"

#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>
#include <array>

namespace tiktrend::gateway {
namespace {

constexpr std::array<std::string_view, 4> scopes{"products", "copy", "categories", "quota"};

task<http::response> clear(redis::client& cache, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto scope = r.param("scope");
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end())
        throw http::problem(404, "cache_not_found", "There is no cache with this name.");
    co_await cache::invalidator{cache}.clear(scope);
    co_return http::response::empty(204);
}

} // namespace

http::handler clear_cache(redis::client& cache) {
    return [&cache](http::request& r) { return clear(cache, r); };
}

} // namespace tiktrend::gateway
