#include "product_query.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace tiktrend::catalog {
namespace {

/// How products are sorted by one value: its column, its text in a keyset, and the bound parameter turned
/// back into a value.
struct sort_column {
    product_sort sort;
    std::string_view name;
    std::string_view column;
    std::string_view as_text;
    std::string_view from_text; ///< {} is the parameter
    bool nullable;
};

constexpr std::string_view time_from_text = "'epoch'::timestamptz + {}::bigint * interval '1 microsecond'";

constexpr std::array<sort_column, 8> columns{{
    {product_sort::last_updated, "last_updated", "p.last_updated",
     "(extract(epoch FROM p.last_updated) * 1000000)::bigint", time_from_text, false},
    {product_sort::price, "price", "p.price_min", "p.price_min", "{}::numeric", true},
    {product_sort::sales_7d, "sales_7d", "p.sales_7d", "p.sales_7d", "{}::bigint", true},
    {product_sort::sales_total, "sales_total", "p.sales_total", "p.sales_total", "{}::bigint", true},
    {product_sort::trend_score, "trend_score", "p.trend_score", "p.trend_score", "{}::float8", true},
    {product_sort::rating, "rating", "p.rating", "p.rating", "{}::float8", true},
    {product_sort::review_count, "review_count", "p.review_count", "p.review_count", "{}::bigint", true},
    {product_sort::first_seen, "first_seen", "p.first_seen",
     "(extract(epoch FROM p.first_seen) * 1000000)::bigint", time_from_text, false},
}};

const sort_column& column_of(product_sort s) noexcept {
    for (const auto& c : columns)
        if (c.sort == s) return c;
    return columns[0];
}

template <class T>
bool reads_as(std::string_view text) noexcept {
    T value{};
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, value);
    if constexpr (std::is_floating_point_v<T>)
        if (!std::isfinite(value)) return false;
    return ec == std::errc{} && at == end;
}

/// Years 1970 to 2100 in microseconds: nothing else was ever stored, and more would overflow a timestamp.
bool is_time(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, value);
    return ec == std::errc{} && at == end && value >= 0 && value < 4'102'444'800'000'000;
}

} // namespace

std::string_view to_string(product_sort s) noexcept {
    return column_of(s).name;
}

std::optional<product_sort> parse_product_sort(std::string_view text) noexcept {
    for (const auto& c : columns)
        if (c.name == text) return c.sort;
    return std::nullopt;
}

bool fits(const keyset& k, product_sort s) noexcept {
    if (k.id < 0) return false;
    if (!k.value) return column_of(s).nullable;
    switch (s) {
    case product_sort::last_updated:
    case product_sort::first_seen:
        return is_time(*k.value);
    case product_sort::price:
        return is_price(*k.value);
    case product_sort::sales_7d:
    case product_sort::sales_total:
    case product_sort::review_count:
        return reads_as<std::int64_t>(*k.value);
    case product_sort::trend_score:
    case product_sort::rating:
        return reads_as<double>(*k.value);
    }
    return false;
}

namespace detail {

const std::string_view product_columns =
    "p.id, p.source, p.external_id, p.kind, p.title, p.description, p.url, p.image_url, p.image_cdn_url, "
    "p.category_id, "
    "c.name, p.price_min, p.price_max, p.currency, p.sales_7d, p.sales_total, p.rating, p.review_count, "
    "p.trend_score, "
    "p.is_trending, p.is_active, p.attributes, (extract(epoch FROM p.first_seen) * 1000)::bigint, "
    "(extract(epoch FROM p.last_updated) * 1000)::bigint, (extract(epoch FROM p.scraped_at) * 1000)::bigint";

const std::string& product_statement() {
    static const std::string sql =
        "SELECT " + std::string{product_columns} +
        " FROM products p LEFT JOIN categories c ON c.id = p.category_id WHERE p.id = $1::bigint";
    return sql;
}

std::string_view history_statement() noexcept {
    return "SELECT (extract(epoch FROM scraped_at) * 1000)::bigint, price_min, price_max, currency, "
           "sales_7d, "
           "sales_total, rating, review_count, trend_score FROM product_history WHERE product_id = "
           "$1::bigint "
           "AND scraped_at < coalesce('epoch'::timestamptz + $3::bigint * interval '1 millisecond', "
           "'infinity') "
           "ORDER BY scraped_at DESC LIMIT $2::integer";
}

bool may_lack_value(const product_query& q) noexcept {
    if (q.sort == product_sort::price && (q.price_min || q.price_max)) return false;
    return column_of(q.sort).nullable;
}

list_statement build_list(const product_query& q, bool nulls, const std::optional<keyset>& after, int limit) {
    for (const auto& price : {q.price_min, q.price_max})
        if (price && !is_price(*price)) throw std::invalid_argument("a price filter that is no price");
    const auto& sort = column_of(q.sort);
    list_statement out;
    // After five runs the server would take a plan for any values, which for a rare shop or word walks the
    // whole order.
    out.values.plan_each_time();
    std::string where;
    // Conditions take one parameter each; its number goes where the braces are.
    const auto require = [&](fmt::format_string<std::string> condition, const auto& value) {
        out.values.add(value);
        where += where.empty() ? " WHERE " : " AND ";
        where += fmt::format(condition, fmt::format("${}", out.values.size()));
    };
    if (q.source) require("p.source = {}::text", *q.source);
    if (q.category_id) require("p.category_id = {}::bigint", *q.category_id);
    if (q.category) require("p.category_id = (SELECT id FROM categories WHERE name = {}::text)", *q.category);
    if (q.price_min) require("p.price_min >= {}::numeric", *q.price_min);
    if (q.price_max) require("p.price_min <= {}::numeric", *q.price_max);
    if (q.currency) require("p.currency = {}::text", *q.currency);
    if (q.is_trending) require("p.is_trending = {}::boolean", *q.is_trending);
    // Written out, so that the partial index on active products can serve it.
    if (q.is_active)
        where +=
            fmt::format("{}{}p.is_active", where.empty() ? " WHERE " : " AND ", *q.is_active ? "" : "NOT ");
    if (q.kind) // written out too; one of two fixed words
        where += fmt::format("{}p.kind = '{}'", where.empty() ? " WHERE " : " AND ", to_string(*q.kind));
    if (q.text) require("p.search_text @@ websearch_to_tsquery('simple', {}::text)", *q.text);
    if (sort.nullable)
        where += fmt::format("{}{} IS {}NULL", where.empty() ? " WHERE " : " AND ", sort.column,
                             nulls ? "" : "NOT ");
    const auto beyond = q.descending ? '<' : '>';
    if (after && nulls) {
        out.values.add(after->id);
        where += fmt::format(" AND p.id {} ${}::bigint", beyond, out.values.size());
    } else if (after) {
        out.values.add(*after->value).add(after->id);
        const auto value =
            fmt::format(fmt::runtime(sort.from_text), fmt::format("${}", out.values.size() - 1));
        where += fmt::format("{}({}, p.id) {} ({}, ${}::bigint)", where.empty() ? " WHERE " : " AND ",
                             sort.column, beyond, value, out.values.size());
    }
    out.values.add(limit);
    const auto direction = q.descending ? "DESC" : "ASC";
    const auto order = nulls ? fmt::format("p.id {}", direction)
                             : fmt::format("{} {}, p.id {}", sort.column, direction, direction);
    out.sql = fmt::format(
        "SELECT {}, {} FROM products p LEFT JOIN categories c ON c.id = p.category_id{} ORDER BY {} "
        "LIMIT ${}::integer",
        product_columns, sort.as_text, where, order, out.values.size());
    return out;
}

} // namespace detail
} // namespace tiktrend::catalog
