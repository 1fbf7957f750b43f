#include "routes/cache_admin.hpp"

#include "query_reader.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>
#include <array>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> scopes{"products", "copy", "categories", "quota"};

/// Where the primary's log stands; 0 while it does not answer, as the operator's wish does not wait for it.
task<std::uint64_t> log_position(postgres::router& database) {
    try {
        co_return (co_await within(1s, database.position())).value;
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
    }
    co_return 0;
}

task<http::response> clear(redis::client& cache, postgres::router& database, http::request& r) {
    query_reader{r}.finish(); // no parameters
    const auto scope = r.param("scope");
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end())
        throw http::problem(404, "cache_not_found", "There is no cache with this name.");
    co_await cache::invalidator{cache}.clear(scope, co_await log_position(database));
    co_return http::response::empty(204);
}

} // namespace

http::handler clear_cache(redis::client& cache, postgres::router& database) {
    return [&cache, &database](http::request& r) { return clear(cache, database, r); };
}

} // namespace tiktrend::gateway
