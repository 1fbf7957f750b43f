#include "canonical.hpp"
#include "record_json.hpp"
#include "values/time_text.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/sources/record.hpp>

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr std::array<canonical_field, 23> canonical{{
    {"title", field_type::text},
    {"description", field_type::text},
    {"url", field_type::url},
    {"image", field_type::url},
    {"category", field_type::text},
    {"categories", field_type::list},
    {"vendor", field_type::text},
    {"brand", field_type::text},
    {"sku", field_type::text},
    {"gtin", field_type::text},
    {"tags", field_type::list},
    {"price", field_type::money},
    {"price_min", field_type::money},
    {"price_max", field_type::money},
    {"was_price", field_type::money},
    {"currency", field_type::currency},
    {"in_stock", field_type::boolean},
    {"rating", field_type::decimal},
    {"review_count", field_type::count},
    {"sales_7d", field_type::count},
    {"sales_total", field_type::count},
    {"popularity", field_type::count},
    {"stock", field_type::count},
}};

constexpr auto names = [] {
    std::array<std::string_view, canonical.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = canonical[i].name;
    return out;
}();

} // namespace

void append_json(std::string& out, const field_value& value) {
    struct writer {
        std::string& out;
        void operator()(const std::string& v) const { append_json_string(out, v); }
        void operator()(bool v) const { out += v ? "true" : "false"; }
        void operator()(std::int64_t v) const { append_json_number(out, v); }
        void operator()(const decimal& v) const { append_json_string(out, v.text); }
        void operator()(const timestamp& v) const { append_json_string(out, time_to_text(v.ms)); }
        void operator()(const std::vector<std::string>& v) const {
            out += '[';
            for (std::size_t i = 0; i < v.size(); ++i) {
                if (i > 0) out += ',';
                append_json_string(out, v[i]);
            }
            out += ']';
        }
        void operator()(const json_value& v) const { out += v.text; }
    };
    std::visit(writer{out}, value);
}

const canonical_field* find_canonical(std::string_view name) noexcept {
    const auto found =
        std::find_if(canonical.begin(), canonical.end(), [&](const auto& c) { return c.name == name; });
    return found != canonical.end() ? &*found : nullptr;
}

bool fits(const canonical_field& name, field_type type) noexcept {
    return name.type == type || (name.type == field_type::boolean && type == field_type::availability);
}

std::span<const std::string_view> canonical_fields() noexcept {
    return names;
}

const field_value* record::find(std::string_view name) const noexcept {
    for (const auto& f : fields)
        if (f.name == name) return &f.value;
    return nullptr;
}

std::optional<std::string_view> record::text(std::string_view name) const noexcept {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const auto* t = std::get_if<std::string>(value)) return std::string_view{*t};
    if (const auto* d = std::get_if<decimal>(value)) return std::string_view{d->text};
    return std::nullopt;
}

std::optional<std::int64_t> record::integer(std::string_view name) const noexcept {
    const auto* value = find(name);
    const auto* n = value != nullptr ? std::get_if<std::int64_t>(value) : nullptr;
    return n != nullptr ? std::optional{*n} : std::nullopt;
}

std::optional<bool> record::boolean(std::string_view name) const noexcept {
    const auto* value = find(name);
    const auto* b = value != nullptr ? std::get_if<bool>(value) : nullptr;
    return b != nullptr ? std::optional{*b} : std::nullopt;
}

std::span<const std::string> record::list(std::string_view name) const noexcept {
    const auto* value = find(name);
    const auto* l = value != nullptr ? std::get_if<std::vector<std::string>>(value) : nullptr;
    return l != nullptr ? std::span<const std::string>{*l} : std::span<const std::string>{};
}

std::optional<std::string_view> record::lowest_price() const noexcept {
    for (const auto* name : {"price_min", "price", "price_max"})
        if (auto price = text(name)) return price;
    return std::nullopt;
}

std::optional<std::string_view> record::highest_price() const noexcept {
    for (const auto* name : {"price_max", "price", "price_min"})
        if (auto price = text(name)) return price;
    return std::nullopt;
}

std::string to_json(const record& r) {
    std::string out = "{\"key\":";
    append_json_string(out, r.key);
    for (const auto& f : r.fields) {
        out += ',';
        append_json_string(out, f.name);
        out += ':';
        append_json(out, f.value);
    }
    if (r.extra.size() > 2) {
        out += ',';
        out.append(r.extra, 1, r.extra.size() - 2);
    }
    out += '}';
    return out;
}

} // namespace tiktrend::sources
