#include <tiktrend/base/json_text.hpp>
#include <tiktrend/catalog/product_json.hpp>
#include <tiktrend/catalog/trending_store.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view read_summary =
    "SELECT category_id, category, currency, products, average_price, sales_7d, top_trend_score, "
    "(extract(epoch FROM refreshed_at) * 1000)::bigint FROM trending_products_summary "
    "ORDER BY sales_7d DESC NULLS LAST, products DESC, category_id, currency";
constexpr std::string_view refresh_summary = "SELECT refresh_trending_summary()";

void append(std::string& out, std::string_view key, const std::optional<std::string>& text) {
    out += key;
    if (text)
        append_json_string(out, *text);
    else
        out += "null";
}

template <class Number>
void append(std::string& out, std::string_view key, const std::optional<Number>& n) {
    out += key;
    if (n)
        append_json_number(out, *n);
    else
        out += "null";
}

/// The view has 0 and '' where there is nothing (migration 009).
std::optional<std::string> text_or_nothing(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional{std::string{text}};
}

} // namespace

task<seen<std::vector<trending_entry>>> trending_store::list() {
    const auto found = co_await router_.query(read_summary);
    seen<std::vector<trending_entry>> out{{}, found.point};
    for (const auto r : found.answer) {
        trending_entry e;
        if (r[0].int64() != 0) e.category_id = r[0].int64();
        e.category = text_or_nothing(r[1].text());
        e.currency = text_or_nothing(r[2].text());
        e.products = r[3].int64();
        if (const auto price = r[4].optional_text()) e.average_price = std::string{*price};
        e.sales_7d = r[5].optional_int64();
        e.top_trend_score = r[6].optional_float64();
        e.refreshed_at_ms = r[7].int64();
        out.value.push_back(std::move(e));
    }
    co_return out;
}

task<bool> trending_store::refresh() {
    const auto done = co_await router_.write().query(refresh_summary);
    co_return done.front()[0].boolean();
}

void append_json(std::string& out, const trending_entry& e) {
    append(out, "{\"category_id\":", e.category_id);
    append(out, ",\"category\":", e.category);
    append(out, ",\"currency\":", e.currency);
    out += ",\"products\":";
    append_json_number(out, e.products);
    append(out, ",\"average_price\":", e.average_price);
    append(out, ",\"sales_7d\":", e.sales_7d);
    append(out, ",\"top_trend_score\":", e.top_trend_score);
    out += ",\"refreshed_at\":";
    append_json_time(out, e.refreshed_at_ms);
    out += '}';
}

} // namespace tiktrend::catalog
