// The part of row_reader that turns one found value into a typed one.
#include "glob.hpp"
#include "row_reader.hpp"
#include "values/count.hpp"
#include "values/currency.hpp"
#include "values/money.hpp"
#include "values/text.hpp"
#include "values/time_text.hpp"
#include "values/truth.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t default_characters = 4000; ///< of a text without `max`
constexpr std::size_t most_json_values = 10'000;
constexpr std::size_t most_json_bytes = 64 * 1024;
constexpr std::size_t most_number_bytes = 64; ///< of a number token kept as it is

} // namespace

std::optional<reject> row_reader::clean(const field_rule& rule, std::string_view text,
                                        std::size_t max_characters, std::string& out) {
    for (const auto& step : rule.clean) {
        switch (step.type) {
        case cleaner::kind::trim:
            text = trim_blanks(text);
            continue;
        case cleaner::kind::match: {
            const auto group = step.expression->first_group(text);
            if (!group) return reject{"does not match the field's pattern"};
            text = *group;
            continue;
        }
        case cleaner::kind::map: {
            const auto mapped = step.table.find(text);
            if (mapped == step.table.end()) return reject{"is not in the field's map"};
            text = mapped->second;
            continue;
        }
        case cleaner::kind::collapse:
            if (is_collapsed(text)) continue;
            held_ = collapse_blanks(text);
            break;
        case cleaner::kind::html_to_text:
            held_ = html_to_text(text, max_characters);
            break;
        case cleaner::kind::decode_entities:
            if (text.find('&') == std::string_view::npos) continue;
            held_ = decode_entities(text);
            break;
        case cleaner::kind::lower:
        case cleaner::kind::upper: {
            std::string changed{text}; // `text` may lie in held_
            const bool is_lower = step.type == cleaner::kind::lower;
            for (auto& c : changed)
                if (is_lower ? (c >= 'A' && c <= 'Z') : (c >= 'a' && c <= 'z'))
                    c = static_cast<char>(c ^ 0x20);
            held_ = std::move(changed);
            break;
        }
        }
        text = held_;
    }
    out = storable_text(text, max_characters);
    return std::nullopt;
}

row_reader::conversion row_reader::convert(const field_rule& rule, const found& raw, typed_value& out) {
    if (rule.type == field_type::json || (raw.node.exists() && !raw.node.is_scalar()))
        return convert_whole(rule, raw, out);
    if (rule.type == field_type::text || rule.type == field_type::any) return convert_text(rule, raw, out);

    const bool wants_truth = rule.type == field_type::boolean || rule.type == field_type::availability;
    if (wants_truth && rule.clean.empty() && raw.node.is(json_kind::boolean)) {
        out.value = raw.node.boolean();
        return {};
    }

    auto text = raw.text;
    bool is_number = raw.is_number;
    std::string cleaned;
    if (!rule.clean.empty()) {
        if (const auto why = clean(rule, text, default_characters, cleaned))
            return {conversion::kind::refused, why->reason};
        is_number = is_number && cleaned == text;
        text = cleaned;
    }
    text = trim_blanks(text);
    if (text.empty()) return {conversion::kind::nothing, {}};

    const auto take = [&](auto value) -> conversion {
        if (!value) return {conversion::kind::refused, value.error().reason};
        out.value = std::move(*value);
        return {};
    };
    switch (rule.type) {
    case field_type::url:
        return take(scope_.address.resolve(text));
    case field_type::money:
        return convert_money(rule, text, is_number, out);
    case field_type::currency:
        return take(currency_from_text(text));
    case field_type::count:
        return take(is_number ? count_from_json(text) : count_from_text(text));
    case field_type::decimal:
        out.minor_unit = 0;
        return take(is_number ? decimal_from_json(text) : decimal_from_text(text, decimals_of(rule)));
    case field_type::boolean:
        return take(bool_from_text(text));
    case field_type::availability:
        return take(availability_from_text(text));
    case field_type::time: {
        const auto ms = time_from_text(text);
        if (!ms) return {conversion::kind::refused, ms.error().reason};
        out.value = timestamp{*ms};
        return {};
    }
    default:
        return {conversion::kind::nothing, {}}; // the others were converted above
    }
}

/// Lists and objects, and everything that a field of type json keeps as it is.
row_reader::conversion row_reader::convert_whole(const field_rule& rule, const found& raw, typed_value& out) {
    if (rule.type != field_type::json)
        return {conversion::kind::refused, raw.node.is(json_kind::array)
                                               ? "is a list where one value is expected"
                                               : "is an object where one value is expected"};
    if (raw.node.value_count() > most_json_values)
        return {conversion::kind::refused, "has more than 10000 values"};
    json_value json;
    if (raw.node.exists())
        raw.node.append_to(json.text);
    else
        append_json_string(json.text, raw.text);
    if (json.text.size() > most_json_bytes) return {conversion::kind::refused, "is larger than 64 KiB"};
    out.value = std::move(json);
    return {};
}

row_reader::conversion row_reader::convert_text(const field_rule& rule, const found& raw, typed_value& out) {
    if (raw.is_number && raw.text.size() > most_number_bytes)
        return {conversion::kind::refused, "is a number of more than 64 digits"};
    if (rule.type == field_type::any && rule.clean.empty()) {
        if (raw.is_number) {
            if (!is_storable_number(raw.text)) return {conversion::kind::refused, "is out of range"};
            out.value = json_value{std::string{raw.text}};
            return {};
        }
        if (raw.node.is(json_kind::boolean)) {
            out.value = raw.node.boolean();
            return {};
        }
    }
    if (trim_blanks(raw.text).empty()) return {conversion::kind::nothing, {}};
    auto& text = out.value.emplace<std::string>();
    if (const auto why = clean(rule, raw.text, rule.max_length.value_or(default_characters), text)) {
        out.reset();
        return {conversion::kind::refused, why->reason};
    }
    if (!text.empty()) return {};
    out.reset();
    return {conversion::kind::nothing, {}};
}

/// Digits behind the point of an amount in minor units; 0 for ordinary amounts, nothing if the row does not
/// say.
std::optional<int> row_reader::scale_of(const field_rule& rule) {
    if (const auto* digits = std::get_if<int>(&rule.scale)) return *digits;
    const auto* way = std::get_if<path>(&rule.scale);
    if (way == nullptr) return 0;
    std::string scratch;
    const auto digits = to_integer(first_at(current_.json, *way).text(scratch));
    if (!digits || *digits < 0 || *digits > 6) return std::nullopt;
    return static_cast<int>(*digits);
}

row_reader::conversion row_reader::convert_money(const field_rule& rule, std::string_view text,
                                                 bool is_number, typed_value& out) {
    const auto minor_unit = minor_unit_for(rule);
    const auto decimals = decimals_of(rule);
    const auto scale = scale_of(rule);
    if (!scale) return {conversion::kind::refused, "is in units that the page does not name"};
    std::string scaled;
    if (*scale > 0) {
        const bool is_whole =
            !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == text.npos;
        if (!is_whole) return {conversion::kind::refused, "is no whole number of minor units"};
        scaled = std::string(static_cast<std::size_t>(*scale) + 1, '0') + std::string{text};
        scaled.insert(scaled.size() - static_cast<std::size_t>(*scale), 1, '.');
        scaled.erase(0, std::min(scaled.find_first_not_of('0'), scaled.find('.') - 1));
        const auto amount = decimal_from_json(scaled);
        if (!amount) return {conversion::kind::refused, amount.error().reason};
        out.value = out.high = *amount;
        out.minor_unit = minor_unit;
        return {};
    }
    const auto range =
        is_number ? price_from_json(text, decimals, minor_unit) : price_from_text(text, decimals, minor_unit);
    if (!range) return {conversion::kind::refused, range.error().reason};
    const bool wants_high = rule.reduce == reduction::max || rule.canonical == "price_max";
    out.value = wants_high ? range->high : range->low;
    out.high = rule.reduce == reduction::none ? range->high : std::get<decimal_number>(out.value);
    out.minor_unit = minor_unit;
    return {};
}

} // namespace tiktrend::sources
