#include "row_reader.hpp"

#include "record_json.hpp"
#include "values/currency.hpp"
#include "values/money.hpp"
#include "values/text.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_problems = 10;
constexpr std::size_t most_key_bytes = 1024;
constexpr std::size_t most_extra_bytes = 256 * 1024;

/// A part of a key that has several: '/' joins them, so it and the escape sign are escaped inside of each.
void append_key_part(std::string& out, std::string_view part) {
    for (const char c : part) {
        if (c == '/')
            out += "%2F";
        else if (c == '%')
            out += "%25";
        else
            out += c;
    }
}

std::string decimal_text(const typed_value& v, const decimal_number& number) {
    return v.minor_unit < 0 ? price_text(number, -1) : number.text(v.minor_unit);
}

/// The text of a value that stands alone; empty for lists and objects.
std::string text_of(const typed_value& v) {
    struct writer {
        const typed_value& all;
        std::string operator()(std::monostate) const { return {}; }
        std::string operator()(const std::string& t) const { return t; }
        std::string operator()(bool b) const { return b ? "true" : "false"; }
        std::string operator()(std::int64_t n) const { return std::to_string(n); }
        std::string operator()(const decimal_number& d) const { return decimal_text(all, d); }
        std::string operator()(const timestamp& t) const { return std::to_string(t.ms); }
        std::string operator()(const std::vector<std::string>&) const { return {}; }
        std::string operator()(const json_value& j) const {
            return is_json_number(j.text) ? j.text : std::string{};
        }
    };
    return std::visit(writer{v}, v.value);
}

} // namespace

field_value to_field_value(typed_value& v) {
    return std::visit(
        [&](auto& x) -> field_value {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::is_same_v<T, std::monostate>)
                return std::string{};
            else if constexpr (std::is_same_v<T, decimal_number>)
                return decimal{decimal_text(v, x)};
            else
                return std::move(x);
        },
        v.value);
}

namespace {

/// The value in its public form behind the others. Moves out of `v`.
void append_field(std::vector<field>& fields, std::string_view name, typed_value& v) {
    auto& to = fields.emplace_back(); // it begins as a text, which most values are
    to.name = name;
    if (auto* text = std::get_if<std::string>(&v.value))
        std::get<std::string>(to.value) = std::move(*text);
    else if (const auto* n = std::get_if<std::int64_t>(&v.value))
        to.value.emplace<std::int64_t>(*n);
    else if (const auto* d = std::get_if<decimal_number>(&v.value))
        to.value.emplace<decimal>(decimal_text(v, *d));
    else
        to.value = to_field_value(v);
}

} // namespace

row_reader::row_reader(const page_scope& scope, page_statistics& statistics)
    : scope_{scope}, statistics_{statistics} {
    values_.resize(scope.rules.fields.size());
    hints_.resize(scope.rules.hint_count);
    statistics_.fields.reserve(scope.rules.fields.size());
    for (const auto& rule : scope.rules.fields) {
        field_stats stats;
        stats.name = rule.name;
        stats.won.resize(rule.sources.size());
        statistics_.fields.push_back(std::move(stats));
        plain_.push_back(plain_field_of(rule));
        if (rule.canonical == "in_stock") stock_field_ = &rule - scope.rules.fields.data();
        if (rule.canonical == "price_max") reads_price_max_ = true;
    }
}

std::optional<record> row_reader::read(row_ref row, std::int64_t index) {
    bool is_valid = true;
    current_ = row;
    const bool may_be_plain = row.json.exists() && scope_.merged.empty();
    for (const auto i : scope_.rules.order) {
        if (may_be_plain && plain_[i].key != nullptr && read_plain(i, row.json)) continue;
        was_too_costly_ = false;
        auto how = evaluate(scope_.rules.fields[i], row, values_[i]);
        if (was_too_costly_ && !values_[i].exists()) {
            how.was_rejected = true;
            how.shown = scope_.rules.fields[i].name;
            how.reason = "has a selector that costs too much on this page (selector_too_costly)";
        }
        is_valid = note(i, how, index) && is_valid;
    }
    if (!is_valid) return std::nullopt;
    auto key = key_of();
    if (key.empty() || key.size() > most_key_bytes) {
        add_problem(index, "key",
                    key.empty() ? "a part of the key has no value" : "the key is longer than 1024 bytes");
        return std::nullopt;
    }
    drop_prices_of_sold_out();
    return build(std::move(key));
}

row_reader::plain_field row_reader::plain_field_of(const field_rule& rule) {
    const bool is_one_value = rule.form == field_rule::shape::single && rule.type != field_type::list &&
                              rule.reduce == reduction::none && rule.sources.size() == 1;
    const bool ends_there = !rule.least && !rule.most && !rule.zero_is_null && !rule.drop_unless_above &&
                            !rule.drop_if_equals && !rule.fallback;
    if (!is_one_value || !ends_there || rule.sources.front().document) return {};
    const auto* way = std::get_if<path>(&rule.sources.front().from);
    if (way == nullptr || way->steps.size() != 1 || way->steps.front().type != path_step::kind::key)
        return {};
    return {&way->steps.front(), rule.sources.front().hint};
}

bool row_reader::read_plain(std::size_t field, json_node row) {
    const auto& rule = scope_.rules.fields[field];
    const auto& plain = plain_[field];
    auto& stats = statistics_.fields[field];
    auto& value = values_[field];
    value.reset();
    const auto node = row.member(plain.key->text, hints_[plain.hint]);
    if (node.kind() == json_kind::null) { // or not there
        if (rule.is_required) return false;
        ++stats.missing;
        return true;
    }
    const auto raw = node.is_scalar() ? found{node, node.text(scratch_), node.is(json_kind::number)}
                                      : found{node, {}, false};
    if (convert(rule, raw, value).state != conversion::kind::taken) return false;
    ++stats.won.front();
    return true;
}

/// Counts how the field fared. False if that makes the row invalid.
bool row_reader::note(std::size_t field, const reading& how, std::int64_t row) {
    const auto& rule = scope_.rules.fields[field];
    auto& stats = statistics_.fields[field];
    if (values_[field].exists()) {
        if (how.won < stats.won.size()) ++stats.won[how.won];
        return true;
    }
    if (how.was_rejected) {
        ++stats.rejected;
        add_problem(row, rule.name, fmt::format("\"{}\" {}", excerpt(how.shown), how.reason));
    } else {
        ++stats.missing;
        if (rule.is_required) add_problem(row, rule.name, "nothing was found, and the field is required");
    }
    return !rule.is_required;
}

void row_reader::add_problem(std::int64_t row, std::string_view field, std::string message) {
    if (statistics_.problems.size() < most_problems)
        statistics_.problems.push_back({row, std::string{field}, std::move(message)});
}

std::string row_reader::key_of() const {
    const auto& parts = scope_.rules.key;
    std::string out;
    for (const auto& part : parts) {
        std::string text;
        if (part.is_input)
            text = scope_.inputs.find(part.input).value_or("");
        else
            text = text_of(values_[part.field]);
        if (text.empty()) return {};
        if (parts.size() == 1) return text;
        if (!out.empty()) out += '/';
        append_key_part(out, text);
    }
    return out;
}

/// A price of zero on something that cannot be had is no price (shops print it for sold-out goods).
void row_reader::drop_prices_of_sold_out() {
    const auto* in_stock = stock_field_ ? std::get_if<bool>(&values_[*stock_field_].value) : nullptr;
    if (in_stock == nullptr || *in_stock) return;
    const auto& fields = scope_.rules.fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto* price = std::get_if<decimal_number>(&values_[i].value);
        if (fields[i].type == field_type::money && price != nullptr && price->is_zero()) values_[i].reset();
    }
}

/// A range under `price` or `price_min` gives the other end too, unless the definition reads that itself.
bool row_reader::adds_price_max(const field_rule& rule, const typed_value& value) const {
    if (reads_price_max_) return false;
    const auto* low = std::get_if<decimal_number>(&value.value);
    return low != nullptr && *low != value.high && rule.canonical.starts_with("price");
}

record row_reader::build(std::string key) {
    record out;
    out.key = std::move(key);
    out.fields.reserve(scope_.rules.fields.size());
    out.extra = "{";
    const auto& fields = scope_.rules.fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        auto& v = values_[i];
        if (!v.exists()) continue;
        if (!fields[i].canonical.empty()) {
            append_field(out.fields, fields[i].canonical, v);
            if (fields[i].type == field_type::money && adds_price_max(fields[i], v))
                out.fields.push_back({"price_max", decimal{decimal_text(v, v.high)}});
            continue;
        }
        const auto before = out.extra.size();
        if (before > 1) out.extra += ',';
        append_json_string(out.extra, fields[i].name);
        out.extra += ':';
        append_json(out.extra, to_field_value(v));
        if (out.extra.size() > most_extra_bytes) {
            out.extra.resize(before);
            ++statistics_.fields[i].rejected;
        }
    }
    out.extra += '}';
    return out;
}

decimal_rule row_reader::decimals_of(const field_rule& rule) const {
    if (!rule.decimals_input) return rule.decimals;
    const auto text = scope_.inputs.find(*rule.decimals_input).value_or("auto");
    return text == "dot"     ? decimal_rule::dot
           : text == "comma" ? decimal_rule::comma
                             : decimal_rule::automatic;
}

int row_reader::minor_unit_for(const field_rule& rule) const {
    std::string_view code;
    switch (rule.currency.type) {
    case text_reference::kind::none:
        return -1;
    case text_reference::kind::literal:
        code = rule.currency.text;
        break;
    case text_reference::kind::input:
        code = scope_.inputs.find(rule.currency.text).value_or("");
        break;
    case text_reference::kind::field:
        if (const auto* text = std::get_if<std::string>(&values_[rule.currency.field].value)) code = *text;
        break;
    }
    return minor_unit_of(code).value_or(-1);
}

} // namespace tiktrend::sources
