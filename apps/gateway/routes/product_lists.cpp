#include "routes/product_lists.hpp"

#include "cached_answer.hpp"
#include "consistency.hpp"
#include "json_writer.hpp"
#include "query_reader.hpp"

#include <tiktrend/catalog/product_json.hpp>

#include <fmt/format.h>

namespace tiktrend::gateway {
namespace {

constexpr std::int64_t default_points = 100;
constexpr std::int64_t max_points = 1000;
constexpr std::int64_t max_time_ms = 4'102'444'800'000; ///< the year 2100

template <class Items>
std::string items_json(const Items& items) {
    std::string out = R"({"items":[)";
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i) out += ',';
        catalog::append_json(out, items[i]);
    }
    return out + "]}";
}

struct history_request {
    std::int64_t id = 0;
    int limit = default_points;
    std::optional<std::int64_t> before_ms;
    postgres::lsn at_least;
};

/// No body: there is no such product.
task<product_cache::loaded> load_history(catalog::product_store& products, history_request q) {
    const auto seen = co_await products.history(q.id, q.limit + 1, q.before_ms, q.at_least);
    auto points = seen.value;
    product_cache::loaded out{std::nullopt, seen.point};
    if (points.empty() && !(co_await products.get(q.id, q.at_least)).value) co_return out;
    std::string next = "null";
    if (static_cast<int>(points.size()) > q.limit) {
        points.pop_back();
        next = std::to_string(points.back().scraped_at_ms);
    }
    auto body = items_json(points);
    body.insert(1, R"("next_before":)" + next + ',');
    out.body = std::move(body);
    co_return out;
}

task<http::response> answer_history(catalog::product_store& products, product_cache& cache,
                                    const cursor_signer& cursors, http::request& r) {
    query_reader in{r};
    history_request q;
    q.limit = static_cast<int>(in.integer("limit", 1, max_points).value_or(default_points));
    q.before_ms = in.integer("before", 0, max_time_ms);
    in.finish();
    q.id = product_id_of(r);
    if (const auto token = consistency_token_of(r, cursors)) {
        q.at_least = token->at_least;
        const auto read = co_await load_history(products, q);
        if (!read.body) throw no_such_product();
        co_return answer_cached(r, uncached_answer(*read.body));
    }
    auto key = product_cache::list_key(
        fmt::format("history id={} limit={} before={}", q.id, q.limit, q.before_ms.value_or(-1)));
    const auto found =
        co_await cache.list(std::move(key), [&products, q] { return load_history(products, q); });
    if (!found.body) throw no_such_product();
    co_return answer_cached(r, found);
}

task<product_cache::loaded> load_trending(catalog::trending_store& trends) {
    const auto seen = co_await trends.list();
    co_return product_cache::loaded{items_json(seen.value), seen.point};
}

task<product_cache::loaded> load_categories(catalog::product_store& products) {
    const auto seen = co_await products.categories();
    co_return product_cache::loaded{items_json(seen.value), seen.point};
}

task<http::response> answer_fixed(product_cache& cache, std::string_view scope, std::string_view name,
                                  std::chrono::milliseconds ttl, product_cache::loader load,
                                  http::request& r) {
    query_reader{r}.finish(); // no parameters
    co_return answer_cached(r, co_await cache.get(cache::key::list(scope, name), ttl, std::move(load)));
}

} // namespace

http::handler get_product_history(catalog::product_store& products, product_cache& cache,
                                  const cursor_signer& cursors) {
    return [&products, &cache, &cursors](http::request& r) {
        return answer_history(products, cache, cursors, r);
    };
}

http::handler get_trending(catalog::trending_store& trends, product_cache& cache,
                           std::chrono::milliseconds ttl) {
    return [&trends, &cache, ttl](http::request& r) {
        return answer_fixed(
            cache, "products", "trending", ttl, [&trends] { return load_trending(trends); }, r);
    };
}

http::handler list_categories(catalog::product_store& products, product_cache& cache,
                              std::chrono::milliseconds ttl) {
    return [&products, &cache, ttl](http::request& r) {
        return answer_fixed(
            cache, "categories", "all", ttl, [&products] { return load_categories(products); }, r);
    };
}

} // namespace tiktrend::gateway
