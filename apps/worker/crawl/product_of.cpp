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

/// Where a name stands in the table below, which has each name of column_fields at a place of its own.
constexpr std::size_t place_of(std::string_view name) noexcept {
    const auto letter = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(name[i]));
    };
    return name.size() < 2 ? 0 : (name.size() + letter(1) + 3 * letter(name.size() - 1)) % 32;
}

constexpr auto columns_by_place = [] {
    std::array<column, 32> out{};
    out.fill(column::none);
    for (std::size_t i = 0; i < column_fields.size(); ++i)
        out[place_of(column_fields[i])] = static_cast<column>(i);
    return out;
}();
static_assert(std::count(columns_by_place.begin(), columns_by_place.end(), column::none) ==
              32 - column_fields.size());

column column_of(std::string_view name) noexcept {
    const auto found = columns_by_place[place_of(name)];
    return found != column::none && column_fields[static_cast<std::size_t>(found)] == name ? found
                                                                                           : column::none;
}

/// `first`, or else the next that is there; nothing if that one fits no price column.
std::optional<std::string> price_of(const std::optional<std::string>& first,
                                    const std::optional<std::string>& second,
                                    const std::optional<std::string>& third) {
    const auto& price = first ? first : second ? second : third;
    return price && catalog::is_price(*price) ? price : std::nullopt;
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
    attributes += attributes.size() > 1 ? ",\"" : "\"";
    attributes.append(f.name).append("\":"); // canonical names need no escapes
    append_value(attributes, f.value);
}

} // namespace

catalog::scraped_product product_of(sources::record r, const sources::definition& source,
                                    std::int64_t now_ms) {
    catalog::scraped_product p;
    p.source = source.id;
    p.kind = source.kind == sources::record_kind::trend ? catalog::product_kind::trend
                                                        : catalog::product_kind::product;
    std::optional<std::string> title, price, lowest, highest;
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
            price = text_of(f.value);
            break;
        case column::price_min:
            lowest = text_of(f.value);
            break;
        case column::price_max:
            highest = text_of(f.value);
            break;
        case column::none:
            append_member(attributes, f);
            break;
        }
    }
    p.price_min = price_of(lowest, price, highest);
    p.price_max = lowest || highest ? price_of(highest, price, lowest) : p.price_min;
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
