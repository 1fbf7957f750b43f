#include "product_request.hpp"

#include "query_reader.hpp"

#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/query.hpp>

#include <charconv>

namespace tiktrend::gateway {
namespace {

constexpr int default_limit = 20;
constexpr int max_limit = 100;

/// Compares canonical decimals without a double.
bool is_above(const std::string& a, const std::string& b) {
    const auto whole = [](const std::string& s) { return std::string_view{s}.substr(0, s.find('.')); };
    if (whole(a).size() != whole(b).size()) return whole(a).size() > whole(b).size();
    return a > b;
}

void append(std::string& out, std::string_view name, std::string_view value) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += http::percent_encode(value);
}

std::string canonical_text(const catalog::product_query& q) {
    std::string out;
    const auto add = [&](std::string_view name, const std::optional<std::string>& value) {
        if (value) append(out, name, *value);
    };
    const auto flag = [&](std::string_view name, std::optional<bool> value) {
        if (value) append(out, name, *value ? "true" : "false");
    };
    add("source", q.source);
    if (q.kind) append(out, "kind", catalog::to_string(*q.kind));
    add("category", q.category);
    if (q.category_id) append(out, "category_id", std::to_string(*q.category_id));
    add("price_min", q.price_min);
    add("price_max", q.price_max);
    add("currency", q.currency);
    add("q", q.text);
    flag("trending", q.is_trending);
    flag("active", q.is_active);
    append(out, "sort", catalog::to_string(q.sort));
    append(out, "order", q.descending ? "desc" : "asc");
    append(out, "limit", std::to_string(q.limit));
    return out;
}

/// Payload of a cursor: "<id>" or "<id>:<sort value>".
std::string encode(const catalog::keyset& k) {
    auto out = std::to_string(k.id);
    if (k.value) out += ':' + *k.value;
    return out;
}

std::optional<catalog::keyset> decode(std::string_view payload) {
    catalog::keyset k;
    const auto colon = payload.find(':');
    const auto id = payload.substr(0, colon);
    const auto [end, ec] = std::from_chars(id.data(), id.data() + id.size(), k.id);
    if (ec != std::errc{} || end != id.data() + id.size()) return std::nullopt;
    if (colon != std::string_view::npos) k.value = std::string{payload.substr(colon + 1)};
    return k;
}

void read_filters(query_reader& in, catalog::product_query& q) {
    q.source = in.text("source", 200);
    q.category = in.text("category", 200);
    q.category_id = in.integer("category_id", 1, std::numeric_limits<std::int64_t>::max());
    q.price_min = in.decimal("price_min");
    q.price_max = in.decimal("price_max");
    if (q.price_min && q.price_max && is_above(*q.price_min, *q.price_max))
        in.fail("price_min", "price_min should not be above price_max", "range");
    q.currency = in.text("currency", 3);
    if (q.currency && (q.currency->size() != 3 ||
                       q.currency->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos))
        in.fail("currency", "Input should be an ISO 4217 code such as EUR", "string_pattern_mismatch");
    q.text = in.text("q", 200);
    q.is_trending = in.flag("trending");
    q.is_active = in.flag("active");
    if (const auto kind = in.one_of("kind", {"product", "trend"}))
        q.kind = catalog::parse_product_kind(*kind);
}

void read_order(query_reader& in, catalog::product_query& q) {
    if (const auto sort = in.one_of("sort", {"last_updated", "price", "sales_7d", "sales_total",
                                             "trend_score", "rating", "review_count", "first_seen"}))
        q.sort = *catalog::parse_product_sort(*sort);
    // Cheapest first is what a person means by "sort by price"; everything else is best or newest first.
    q.descending = q.sort != catalog::product_sort::price;
    if (const auto order = in.one_of("order", {"asc", "desc"})) q.descending = *order == "desc";
    q.limit = static_cast<int>(in.integer("limit", 1, max_limit).value_or(default_limit));
}

} // namespace

product_request read_product_request(const http::request& r, const cursor_signer& cursors) {
    query_reader in{r};
    product_request out;
    read_filters(in, out.query);
    read_order(in, out.query);
    const auto cursor = in.text("cursor", 1000);
    out.canonical = canonical_text(out.query);
    if (cursor) {
        const auto payload = cursors.open(out.canonical, *cursor);
        out.query.after = payload ? decode(*payload) : std::nullopt;
        if (!out.query.after || !catalog::fits(*out.query.after, out.query.sort))
            in.fail("cursor", "The cursor does not belong to this list; start again without it", "cursor");
        out.cursor = *cursor;
    }
    in.finish();
    return out;
}

std::string make_cursor(const cursor_signer& cursors, const product_request& request,
                        const catalog::keyset& next) {
    return cursors.sign(request.canonical, encode(next));
}

} // namespace tiktrend::gateway
