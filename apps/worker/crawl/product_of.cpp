#include "product_of.hpp"

#include <tiktrend/base/json_text.hpp>

#include <array>
#include <charconv>

namespace tiktrend::worker {
namespace {

/// Fields that go to columns; the others of sources::canonical_fields() become attributes.
constexpr std::array<std::string_view, 12> column_fields{
    "title",     "description", "url",      "image",    "category",    "price",
    "price_min", "price_max",   "currency", "sales_7d", "sales_total", "review_count"};
constexpr std::array<std::string_view, 2> number_columns{"rating", "popularity"};

bool has_column(std::string_view name) {
    return std::find(column_fields.begin(), column_fields.end(), name) != column_fields.end() ||
           std::find(number_columns.begin(), number_columns.end(), name) != number_columns.end();
}

std::optional<std::string> text_of(const sources::record& r, std::string_view name) {
    const auto t = r.text(name);
    return t ? std::optional<std::string>{*t} : std::nullopt;
}

std::optional<std::string> price_of(std::optional<std::string_view> text) {
    if (!text || !catalog::is_price(*text)) return {};
    return std::string{*text};
}

std::optional<double> number_of(const sources::record& r, std::string_view name) {
    if (const auto i = r.integer(name)) return static_cast<double>(*i);
    const auto t = r.text(name);
    if (!t) return {};
    double value = 0;
    const auto [end, code] = std::from_chars(t->data(), t->data() + t->size(), value);
    if (code != std::errc{} || end != t->data() + t->size()) return {};
    return value;
}

void append_value(std::string& out, const sources::field_value& value) {
    struct writer {
        std::string& out;
        void operator()(const std::string& v) const { append_json_string(out, v); }
        void operator()(bool v) const { out += v ? "true" : "false"; }
        void operator()(std::int64_t v) const { append_json_number(out, v); }
        void operator()(const sources::decimal& v) const {
            append_json_string(out, v.text);
        } // exact, as in the API
        void operator()(const sources::timestamp& v) const { append_json_number(out, v.ms); }
        void operator()(const sources::json_value& v) const { out += v.text; }
        void operator()(const std::vector<std::string>& v) const {
            out += '[';
            for (const auto& item : v) {
                if (out.back() != '[') out += ',';
                append_json_string(out, item);
            }
            out += ']';
        }
    };
    std::visit(writer{out}, value);
}

std::string attributes_of(const sources::record& r) {
    std::string out = "{";
    for (const auto& f : r.fields) {
        if (has_column(f.name)) continue;
        if (out.size() > 1) out += ',';
        append_json_string(out, f.name);
        out += ':';
        append_value(out, f.value);
    }
    // `extra` is an object of its own with other names: its members join ours.
    if (r.extra.size() > 2) {
        if (out.size() > 1) out += ',';
        out.append(r.extra, 1, r.extra.size() - 2);
    }
    return out + '}';
}

} // namespace

catalog::scraped_product product_of(const sources::record& r, const sources::definition& source,
                                    std::int64_t now_ms) {
    catalog::scraped_product p;
    p.source = source.id;
    p.external_id = r.key;
    p.kind = source.kind == sources::record_kind::trend ? catalog::product_kind::trend
                                                        : catalog::product_kind::product;
    p.title = r.text("title").value_or(r.key);
    p.description = text_of(r, "description");
    p.url = text_of(r, "url");
    p.image_url = text_of(r, "image");
    p.category = text_of(r, "category");
    p.price_min = price_of(r.lowest_price());
    p.price_max = price_of(r.highest_price());
    p.currency = text_of(r, "currency");
    p.sales_7d = r.integer("sales_7d");
    p.sales_total = r.integer("sales_total");
    p.rating = number_of(r, "rating");
    p.review_count = r.integer("review_count");
    p.trend_score = number_of(r, "popularity");
    p.is_trending = source.kind == sources::record_kind::trend;
    p.attributes = attributes_of(r);
    p.scraped_at_ms = now_ms;
    return p;
}

} // namespace tiktrend::worker
