#include "product_of.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace tiktrend::worker {
namespace {

/// Fields that go to columns; the others of sources::canonical_fields() become attributes.
enum class column {
    title,
    description,
    url,
    image,
    category,
    price,
    price_min,
    price_max,
    currency,
    sales_7d,
    sales_total,
    review_count,
    rating,
    popularity,
    none
};
constexpr std::array<std::string_view, static_cast<std::size_t>(column::none)> column_fields{
    "title",     "description", "url",      "image",       "category",     "price",  "price_min",
    "price_max", "currency",    "sales_7d", "sales_total", "review_count", "rating", "popularity"};

column column_of(std::string_view name) noexcept {
    return static_cast<column>(std::find(column_fields.begin(), column_fields.end(), name) -
                               column_fields.begin());
}

std::optional<std::string> price_of(std::optional<std::string_view> text) {
    if (!text || !catalog::is_price(*text)) return {};
    return std::string{*text};
}

std::optional<std::int64_t> integer_of(const sources::field_value& value) {
    const auto* n = std::get_if<std::int64_t>(&value);
    return n != nullptr ? std::optional{*n} : std::nullopt;
}

/// Text and decimals. Takes the text out of `value`.
std::optional<std::string> text_of(sources::field_value& value) {
    if (auto* t = std::get_if<std::string>(&value)) return std::move(*t);
    if (auto* d = std::get_if<sources::decimal>(&value)) return std::move(d->text);
    return {};
}

std::optional<double> number_of(sources::field_value& v) {
    if (const auto i = integer_of(v)) return static_cast<double>(*i);
    const auto t = text_of(v);
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

void append_member(std::string& attributes, const sources::field& f) {
    if (attributes.size() > 1) attributes += ',';
    append_json_string(attributes, f.name);
    attributes += ':';
    append_value(attributes, f.value);
}

} // namespace

catalog::scraped_product product_of(sources::record r, const sources::definition& source,
                                    std::int64_t now_ms) {
    catalog::scraped_product p;
    p.source = source.id;
    p.kind = source.kind == sources::record_kind::trend ? catalog::product_kind::trend
                                                        : catalog::product_kind::product;
    p.price_min = price_of(r.lowest_price());
    p.price_max = price_of(r.highest_price());
    std::optional<std::string> title;
    auto& attributes = p.attributes;
    attributes.reserve(r.extra.size() + 160);
    attributes = "{";
    for (auto& f : r.fields) {
        switch (column_of(f.name)) {
        case column::title:
            title = text_of(f.value);
            break;
        case column::description:
            p.description = text_of(f.value);
            break;
        case column::url:
            p.url = text_of(f.value);
            break;
        case column::image:
            p.image_url = text_of(f.value);
            break;
        case column::category:
            p.category = text_of(f.value);
            break;
        case column::currency:
            p.currency = text_of(f.value);
            break;
        case column::sales_7d:
            p.sales_7d = integer_of(f.value);
            break;
        case column::sales_total:
            p.sales_total = integer_of(f.value);
            break;
        case column::review_count:
            p.review_count = integer_of(f.value);
            break;
        case column::rating:
            p.rating = number_of(f.value);
            break;
        case column::popularity:
            p.trend_score = number_of(f.value);
            break;
        case column::price:
        case column::price_min:
        case column::price_max:
            break; // above
        case column::none:
            append_member(attributes, f);
            break;
        }
    }
    // `extra` is an object of its own with other names: its members join ours.
    if (r.extra.size() > 2) {
        if (attributes.size() > 1) attributes += ',';
        attributes.append(r.extra, 1, r.extra.size() - 2);
    }
    attributes += '}';
    p.title = title ? std::move(*title) : r.key;
    p.external_id = std::move(r.key);
    p.is_trending = source.kind == sources::record_kind::trend;
    p.scraped_at_ms = now_ms;
    return p;
}

} // namespace tiktrend::worker
