// How what a field finds is cleaned, read as its type, and bounded.
#include "fields_parser.hpp"
#include "values/currency.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, reduction>, 5> reductions{{
    {"first", reduction::first},
    {"min", reduction::min},
    {"max", reduction::max},
    {"any", reduction::any},
    {"sum", reduction::sum},
}};

constexpr std::array<std::pair<std::string_view, decimal_rule>, 3> decimal_rules{{
    {"auto", decimal_rule::automatic},
    {"dot", decimal_rule::dot},
    {"comma", decimal_rule::comma},
}};

constexpr std::array<std::pair<std::string_view, cleaner::kind>, 6> cleaners{{
    {"trim", cleaner::kind::trim},
    {"collapse", cleaner::kind::collapse},
    {"html_to_text", cleaner::kind::html_to_text},
    {"decode_entities", cleaner::kind::decode_entities},
    {"lower", cleaner::kind::lower},
    {"upper", cleaner::kind::upper},
}};

bool is_truth(field_type t) noexcept {
    return t == field_type::boolean || t == field_type::availability;
}

} // namespace

void fields_parser::parse_cleaner(const yaml_node& node, const std::string& field, field_rule& rule) {
    if (node.is_scalar()) {
        for (const auto& [name, type] : cleaners)
            if (node.text == name) {
                rule.clean.push_back({type, nullptr, {}});
                return;
            }
    } else if (node.is_mapping() && node.members.size() == 1) {
        const auto& m = node.members.front();
        if (m.key == "match" && m.value.is_scalar()) {
            auto compiled = pattern::compile(m.value.text);
            if (compiled)
                rule.clean.push_back({cleaner::kind::match, std::move(*compiled), {}});
            else
                errors_.add(m.value, child(field, "match"),
                            fmt::format("expected a regular expression (RE2 syntax): {}", compiled.error()));
            return;
        }
        const auto is_text = [](const auto& entry) { return entry.value.is_scalar(); };
        if (m.key == "map" && m.value.is_mapping() &&
            std::all_of(m.value.members.begin(), m.value.members.end(), is_text)) {
            cleaner map{cleaner::kind::map, nullptr, {}};
            for (const auto& entry : m.value.members)
                map.table.emplace(entry.key, entry.value.text);
            rule.clean.push_back(std::move(map));
            return;
        }
    }
    errors_.expected(
        node, field,
        "trim, collapse, html_to_text, decode_entities, lower, upper, {match: <regex>} or {map: {…}}");
}

void fields_parser::parse_cleaning(mapping_reader& keys, field_rule& rule) {
    if (const auto* clean = keys.take("clean")) {
        if (clean->is_sequence())
            for (std::size_t i = 0; i < clean->items.size(); ++i)
                parse_cleaner(clean->items[i], child(keys.path("clean"), i), rule);
        else
            parse_cleaner(*clean, keys.path("clean"), rule);
    }
    if (const auto split = keys.text("split", 10)) {
        rule.split = *split;
        if (rule.type != field_type::list)
            errors_.add(*keys.node().find("split"), keys.path("split"),
                        "cuts a text into a list: expected type list");
    }
    if (const auto reduce = keys.choice("reduce", reductions)) {
        rule.reduce = *reduce;
        const auto t = rule.type;
        const bool is_good = *reduce == reduction::first ? t != field_type::list && t != field_type::json
                             : *reduce == reduction::any ? is_truth(t)
                             : *reduce == reduction::sum ? is_number(t)
                                                         : is_number(t) || t == field_type::time;
        if (!is_good)
            errors_.add(*keys.node().find("reduce"), keys.path("reduce"),
                        fmt::format("does not go with type {}: min and max take money, count, decimal or "
                                    "time, sum takes money, "
                                    "count or decimal, any takes bool or availability",
                                    name_of(t)));
    }
}

std::optional<decimal_number> fields_parser::bound(mapping_reader& keys, std::string_view key) {
    const auto text = keys.text(key, 40);
    if (!text) return std::nullopt;
    if (is_json_number(*text))
        if (auto number = decimal_from_json(*text)) return std::move(*number);
    errors_.expected(*keys.node().find(key), keys.path(key), "a number");
    return std::nullopt;
}

void fields_parser::parse_numbers(mapping_reader& keys, field_rule& rule) {
    const auto t = rule.type;
    if (is_number(t)) {
        rule.least = bound(keys, "min");
        rule.most = bound(keys, "max");
    } else if (t == field_type::text || t == field_type::any || t == field_type::list) {
        if (const auto max = keys.integer("max", 1, t == field_type::list ? 1000 : 65'536))
            rule.max_length = static_cast<std::size_t>(*max);
    }
    if (t == field_type::money) {
        if (const auto text = keys.text("currency", 80))
            rule.currency = parse_reference(keys, "currency", *text);
        parse_scale(keys, rule);
        keys.take("zero");
        if (const auto* zero = keys.node().find("zero"); zero != nullptr) {
            rule.zero_is_null = zero->is_null();
            if (!rule.zero_is_null) errors_.expected(*zero, keys.path("zero"), "null");
        }
    }
    if (t == field_type::money || t == field_type::decimal) parse_decimal_rule(keys, rule);
}

/// scale: 2, or a path to the number of digits.
void fields_parser::parse_scale(mapping_reader& keys, field_rule& rule) {
    const auto* node = keys.take("scale");
    if (node == nullptr) return;
    if (node->is_scalar() && !node->text.starts_with('/')) {
        const auto digits = to_integer(node->text);
        if (digits && *digits >= 0 && *digits <= 6)
            rule.scale = static_cast<int>(*digits);
        else
            errors_.expected(*node, keys.path("scale"), "a number of digits from 0 to 6, or a path to it");
    } else if (auto way = parse_path(errors_, *node, keys.path("scale"))) {
        rule.scale = std::move(*way);
    }
}

void fields_parser::parse_decimal_rule(mapping_reader& keys, field_rule& rule) {
    const auto* node = keys.node().find("decimal");
    if (node == nullptr || !node->is_scalar() || node->text.find("{{") == std::string::npos) {
        rule.decimals = keys.choice("decimal", decimal_rules).value_or(decimal_rule::automatic);
        return;
    }
    keys.take("decimal");
    const auto compiled = text_template::compile(node->text, context_.names());
    const auto input = compiled ? compiled->lone_input() : std::nullopt;
    const auto& inputs = context_.source.inputs;
    const auto found =
        std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return input && i.name == *input; });
    const auto is_rule = [](const std::string& text) {
        return text == "auto" || text == "dot" || text == "comma";
    };
    if (found == inputs.end() || found->choices.empty() ||
        !std::all_of(found->choices.begin(), found->choices.end(), is_rule))
        errors_.expected(*node, keys.path("decimal"),
                         "auto, dot, comma or an input whose enum holds only these");
    else
        rule.decimals_input = found->name;
}

/// field:x, input:x or a currency code.
text_reference fields_parser::parse_reference(mapping_reader& keys, std::string_view key,
                                              const std::string& text) {
    const auto& node = *keys.node().find(key);
    text_reference out;
    if (text.starts_with("field:")) {
        const auto index = field_index(std::string_view{text}.substr(6));
        if (!index || context_.plan.fields[*index].type != field_type::currency) {
            errors_.expected(node, keys.path(key), "field:<name> with the name of a field of type currency");
            return out;
        }
        out.type = text_reference::kind::field;
        out.field = *index;
    } else if (text.starts_with("input:")) {
        out.type = text_reference::kind::input;
        out.text = text.substr(6);
        const auto& inputs = context_.source.inputs;
        if (std::none_of(inputs.begin(), inputs.end(),
                         [&](const auto& i) { return i.name == out.text && i.type == input_type::currency; }))
            errors_.expected(node, keys.path(key), "input:<name> with the name of an input of type currency");
    } else if (minor_unit_of(text)) {
        out.type = text_reference::kind::literal;
        out.text = text;
    } else {
        errors_.expected(node, keys.path(key), "field:<name>, input:<name> or an ISO 4217 code");
    }
    return out;
}

void fields_parser::parse_drop_if(mapping_reader& keys, field_rule& rule) {
    const auto* node = keys.take("drop_if");
    if (node == nullptr) return;
    mapping_reader conditions{errors_, *node, keys.path("drop_if")};
    if (!conditions.is_good()) return;
    if (const auto text = conditions.text("not_above", 80)) {
        const auto index =
            text->starts_with("field:") ? field_index(std::string_view{*text}.substr(6)) : std::nullopt;
        if (!index || !is_number(rule.type))
            errors_.expected(*node->find("not_above"), conditions.path("not_above"),
                             "field:<name>, both fields being money, count or decimal");
        else
            rule.drop_unless_above = index;
    }
    rule.drop_if_equals = conditions.text("equals", 200);
    conditions.finish();
    if (!rule.drop_unless_above && !rule.drop_if_equals && node->members.empty())
        errors_.expected(*node, keys.path("drop_if"), "not_above or equals");
}

} // namespace tiktrend::sources
