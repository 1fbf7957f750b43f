#include "canonical.hpp"
#include "definition_parser.hpp"
#include "values/currency.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, field_type>, 11> types{{
    {"text", field_type::text},
    {"url", field_type::url},
    {"money", field_type::money},
    {"currency", field_type::currency},
    {"count", field_type::count},
    {"decimal", field_type::decimal},
    {"bool", field_type::boolean},
    {"availability", field_type::availability},
    {"time", field_type::time},
    {"list", field_type::list},
    {"json", field_type::json},
}};

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

std::string_view name_of(field_type type) noexcept {
    for (const auto& [name, t] : types)
        if (t == type) return name;
    return "any";
}

bool is_number(field_type t) noexcept {
    return t == field_type::money || t == field_type::count || t == field_type::decimal;
}
bool is_truth(field_type t) noexcept {
    return t == field_type::boolean || t == field_type::availability;
}

/// Parses the fields of one level: all of `fields`, or those of one field's `rows`.
class fields_parser {
public:
    explicit fields_parser(parse_context& context) : context_{context}, errors_{context.errors} {}

    void parse_all(const yaml_node& section) {
        for (const auto& m : section.members) {
            field_rule rule;
            rule.name = m.key;
            if (const auto* known = find_canonical(m.key)) {
                rule.canonical = known->name;
                rule.type = known->type;
            }
            context_.plan.fields.push_back(std::move(rule)); // all names first: rules refer to each other
        }
        for (std::size_t i = 0; i < section.members.size(); ++i)
            parse_field(section.members[i], child("fields", section.members[i].key), context_.plan.fields[i],
                        false);
        for (std::size_t i = 0; i < section.members.size(); ++i)
            check_references(section.members[i], i);
        put_in_order(section);
    }

private:
    void parse_field(const yaml_node::member& m, const std::string& field, field_rule& rule, bool is_nested) {
        if (!is_name(m.key))
            errors_.add(m.line, m.column, field,
                        "expected a name of lower-case letters, digits and underscores");
        if (m.key == "key") errors_.add(m.line, m.column, field, "this name is taken by the record's key");
        if (!m.value.is_mapping()) { // a path alone
            if (auto way = parse_path(errors_, m.value, field))
                rule.sources.push_back({std::nullopt, std::move(*way)});
            return;
        }
        mapping_reader keys{errors_, m.value, field};
        parse_type(keys, rule);
        if (!is_nested && parse_shape(keys, rule)) {
            rule.is_required = keys.boolean("required").value_or(false);
            finish(keys);
            return;
        }
        parse_sources(keys, rule);
        if (m.value.find("each") != nullptr && !is_nested) parse_each(keys, rule);
        if (rule.sources.empty() && rule.form == field_rule::shape::single)
            errors_.add(m.value, field,
                        fmt::format("expected where the value is: one of path, any_of, value, template{}",
                                    is_nested ? "" : ", each, object, rows, none: true"));
        parse_cleaning(keys, rule);
        parse_numbers(keys, rule);
        parse_drop_if(keys, rule);
        if (const auto* fallback = keys.take("default")) {
            if (fallback->is_scalar() && rule.type != field_type::list)
                rule.fallback = fallback->text;
            else
                errors_.expected(*fallback, keys.path("default"), "a value for a field that is no list");
        }
        if (is_nested && m.value.find("required") == nullptr)
            rule.is_required = false;
        else
            rule.is_required = keys.boolean("required").value_or(false);
        finish(keys);
    }

    static void finish(mapping_reader& keys) {
        keys.finish({planned_css, planned_attr, {"from_symbol", "give the currency by its code"}});
    }

    void parse_type(mapping_reader& keys, field_rule& rule) {
        const auto type = keys.choice("type", types);
        if (!type) return;
        rule.type = *type;
        if (rule.canonical.empty()) return;
        const auto* known = find_canonical(rule.canonical);
        if (!fits(*known, *type))
            errors_.expected(
                *keys.node().find("type"), keys.path("type"),
                fmt::format("{}, which {} is in every source", name_of(known->type), rule.canonical));
    }

    /// object, rows and none: true if the field is one of them.
    bool parse_shape(mapping_reader& keys, field_rule& rule) {
        if (const auto none = keys.boolean("none")) {
            rule.form = field_rule::shape::nothing;
            if (!*none) errors_.expected(*keys.node().find("none"), keys.path("none"), "true");
            if (keys.node().find("required") != nullptr)
                errors_.add(keys.node(), keys.field(), "a field without a value cannot be required");
            return true;
        }
        if (const auto* object = keys.take("object")) {
            rule.form = field_rule::shape::object;
            set_json_type(keys, rule);
            if (!object->is_mapping() || object->members.empty()) {
                errors_.expected(*object, keys.path("object"), "a mapping of names to paths");
                return true;
            }
            for (const auto& m : object->members)
                if (auto way = parse_path(errors_, m.value, child(keys.path("object"), m.key)))
                    rule.members.emplace_back(m.key, std::move(*way));
            return true;
        }
        const auto* rows = keys.take("rows");
        if (rows == nullptr) return false;
        rule.form = field_rule::shape::rows;
        set_json_type(keys, rule);
        if (auto way = parse_path(errors_, *rows, keys.path("rows")))
            rule.sources.push_back({std::nullopt, std::move(*way)});
        const auto* fields = keys.require("fields", "a mapping of field names for each of the rows");
        if (fields == nullptr) return true;
        if (!fields->is_mapping() || fields->members.empty()) {
            errors_.expected(*fields, keys.path("fields"), "a mapping of field names");
            return true;
        }
        for (const auto& m : fields->members) {
            field_rule inner;
            inner.name = m.key;
            parse_field(m, child(keys.path("fields"), m.key), inner, true);
            rule.children.push_back(std::move(inner));
        }
        return true;
    }

    void set_json_type(mapping_reader& keys, field_rule& rule) {
        if (!rule.canonical.empty())
            errors_.add(keys.node(), keys.field(),
                        fmt::format("{} is {} in every source: choose another name", rule.canonical,
                                    name_of(rule.type)));
        rule.type = field_type::json;
    }

    void parse_each(mapping_reader& keys, field_rule& rule) {
        const auto* each = keys.take("each");
        rule.form = field_rule::shape::each;
        if (!rule.sources.empty())
            errors_.add(*each, keys.path("each"),
                        "stands alone: expected no path, any_of, value or template beside it");
        if (rule.type == field_type::any) rule.type = field_type::list;
        if (rule.type != field_type::list)
            errors_.add(*each, keys.path("each"), "gives a list: expected type list");
        if (!each->is_sequence() || each->items.empty()) {
            errors_.expected(*each, keys.path("each"), "a list of paths");
            return;
        }
        for (std::size_t i = 0; i < each->items.size(); ++i)
            if (auto source = parse_alternative(each->items[i], child(keys.path("each"), i), rule))
                rule.sources.push_back(std::move(*source));
    }

    void parse_sources(mapping_reader& keys, field_rule& rule) {
        if (const auto* way = keys.take("path"))
            if (auto parsed = parse_path(errors_, *way, keys.path("path")))
                rule.sources.push_back({std::nullopt, std::move(*parsed)});
        if (const auto* list = keys.take("any_of")) {
            if (!list->is_sequence() || list->items.empty())
                errors_.expected(*list, keys.path("any_of"), "a list of paths, values and templates");
            for (std::size_t i = 0; i < list->items.size(); ++i)
                if (auto source = parse_alternative(list->items[i], child(keys.path("any_of"), i), rule))
                    rule.sources.push_back(std::move(*source));
        }
        for (const auto* name : {"value", "template"})
            if (const auto* node = keys.take(name))
                if (auto source = parse_template(*node, keys.path(name), rule))
                    rule.sources.push_back(std::move(*source));
    }

    /// A path, or {path: …}, {value: …}, {template: …} or {<document>: <path>}.
    std::optional<value_source> parse_alternative(const yaml_node& node, const std::string& field,
                                                  const field_rule& rule) {
        if (!node.is_mapping()) {
            auto way = parse_path(errors_, node, field);
            if (!way) return std::nullopt;
            return value_source{std::nullopt, std::move(*way)};
        }
        if (node.members.size() != 1) {
            errors_.add(node, field, "expected one key: path, value, template or the name of a document");
            return std::nullopt;
        }
        const auto& m = node.members.front();
        if (m.key == "value" || m.key == "template")
            return parse_template(m.value, child(field, m.key), rule);
        const auto document = context_.document_index(m.key);
        if (m.key != "path" && !document) {
            const auto is_css = m.key == "css";
            errors_.add(
                m.line, m.column, child(field, m.key),
                is_css ? "is not supported by this version: it reads JSON documents only"
                       : fmt::format("unknown key; expected path, value, template or one of the documents {}",
                                     fmt::join(context_.plan.documents, ", ")));
            return std::nullopt;
        }
        auto way = parse_path(errors_, m.value, child(field, m.key));
        if (!way) return std::nullopt;
        return value_source{m.key == "path" ? std::nullopt : document, std::move(*way)};
    }

    std::optional<value_source> parse_template(const yaml_node& node, const std::string& field,
                                               const field_rule& rule) {
        if (!node.is_scalar() || node.text.size() > 2000) {
            errors_.expected(node, field, "text of at most 2000 bytes");
            return std::nullopt;
        }
        auto names = context_.names();
        names.has_page = names.has_row = names.has_response = true;
        if (rule.type == field_type::url) {
            auto compiled = url_template::compile(node.text, names);
            if (compiled) return value_source{std::nullopt, std::move(*compiled)};
            errors_.add(node, field, compiled.error());
            return std::nullopt;
        }
        auto compiled = text_template::compile(node.text, names);
        if (compiled) return value_source{std::nullopt, std::move(*compiled)};
        errors_.add(node, field, compiled.error());
        return std::nullopt;
    }

    void parse_cleaner(const yaml_node& node, const std::string& field, field_rule& rule) {
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
                    errors_.add(
                        m.value, child(field, "match"),
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

    void parse_cleaning(mapping_reader& keys, field_rule& rule) {
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

    std::optional<decimal_number> bound(mapping_reader& keys, std::string_view key) {
        const auto text = keys.text(key, 40);
        if (!text) return std::nullopt;
        if (is_json_number(*text))
            if (auto number = decimal_from_json(*text)) return std::move(*number);
        errors_.expected(*keys.node().find(key), keys.path(key), "a number");
        return std::nullopt;
    }

    void parse_numbers(mapping_reader& keys, field_rule& rule) {
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
            if (const auto* zero = keys.node().find("zero"); zero != nullptr) {
                keys.take("zero");
                rule.zero_is_null = zero->is_null();
                if (!rule.zero_is_null) errors_.expected(*zero, keys.path("zero"), "null");
            }
        }
        if (t == field_type::money || t == field_type::decimal) parse_decimal_rule(keys, rule);
    }

    void parse_decimal_rule(mapping_reader& keys, field_rule& rule) {
        const auto* node = keys.node().find("decimal");
        if (node == nullptr || !node->is_scalar() || node->text.find("{{") == std::string::npos) {
            rule.decimals = keys.choice("decimal", decimal_rules).value_or(decimal_rule::automatic);
            return;
        }
        keys.take("decimal");
        const auto compiled = text_template::compile(node->text, context_.names());
        const auto input = compiled ? compiled->lone_input() : std::nullopt;
        const auto& inputs = context_.source.inputs;
        const auto found = std::find_if(inputs.begin(), inputs.end(),
                                        [&](const auto& i) { return input && i.name == *input; });
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
    text_reference parse_reference(mapping_reader& keys, std::string_view key, const std::string& text) {
        const auto& node = *keys.node().find(key);
        text_reference out;
        if (text.starts_with("field:")) {
            const auto index = field_index(std::string_view{text}.substr(6));
            if (!index || context_.plan.fields[*index].type != field_type::currency) {
                errors_.expected(node, keys.path(key),
                                 "field:<name> with the name of a field of type currency");
                return out;
            }
            out.type = text_reference::kind::field;
            out.field = *index;
        } else if (text.starts_with("input:")) {
            out.type = text_reference::kind::input;
            out.text = text.substr(6);
            const auto& inputs = context_.source.inputs;
            if (std::none_of(inputs.begin(), inputs.end(), [&](const auto& i) {
                    return i.name == out.text && i.type == input_type::currency;
                }))
                errors_.expected(node, keys.path(key),
                                 "input:<name> with the name of an input of type currency");
        } else if (minor_unit_of(text)) {
            out.type = text_reference::kind::literal;
            out.text = text;
        } else {
            errors_.expected(node, keys.path(key), "field:<name>, input:<name> or an ISO 4217 code");
        }
        return out;
    }

    void parse_drop_if(mapping_reader& keys, field_rule& rule) {
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

    std::optional<std::size_t> field_index(std::string_view name) const noexcept {
        const auto& fields = context_.plan.fields;
        for (std::size_t i = 0; i < fields.size(); ++i)
            if (fields[i].name == name) return i;
        return std::nullopt;
    }

    /// What can only be told once every field has been read.
    void check_references(const yaml_node::member& m, std::size_t index) {
        auto& rule = context_.plan.fields[index];
        const auto own_currency = field_index("currency");
        const auto set_currency = [&](field_rule& r) {
            if (r.type != field_type::money || r.currency.type != text_reference::kind::none || !own_currency)
                return;
            r.currency.type = text_reference::kind::field;
            r.currency.field = *own_currency;
        };
        set_currency(rule);
        for (auto& inner : rule.children)
            set_currency(inner);
        if (rule.drop_unless_above && context_.plan.fields[*rule.drop_unless_above].type != rule.type)
            errors_.add(m.value, child("fields", m.key) + ".drop_if.not_above",
                        "expected a field of the same type");
    }

    std::vector<std::size_t> references_of(const field_rule& rule) const {
        std::vector<std::size_t> out;
        const auto add_currency = [&](const field_rule& r) {
            if (r.currency.type == text_reference::kind::field) out.push_back(r.currency.field);
        };
        add_currency(rule);
        for (const auto& inner : rule.children)
            add_currency(inner);
        for (const auto& inner : rule.children)
            if (inner.drop_unless_above) out.push_back(*inner.drop_unless_above);
        if (rule.drop_unless_above) out.push_back(*rule.drop_unless_above);
        return out;
    }

    /// Fields in file order, but each behind those that it refers to.
    void put_in_order(const yaml_node& section) {
        const auto& fields = context_.plan.fields;
        std::vector<char> state(fields.size(), 'n'); // not yet, being visited, done
        const auto visit = [&](const auto& self, std::size_t i) -> bool {
            if (state[i] == 'd') return true;
            if (state[i] == 'v') return false;
            state[i] = 'v';
            for (const auto r : references_of(fields[i]))
                if (!self(self, r)) return false;
            state[i] = 'd';
            context_.plan.order.push_back(i);
            return true;
        };
        for (std::size_t i = 0; i < fields.size(); ++i)
            if (!visit(visit, i)) {
                errors_.add(section.members[i].value, child("fields", fields[i].name),
                            "refers to itself through other fields");
                return;
            }
    }

    parse_context& context_;
    mistakes& errors_;
};

void number_hints(std::vector<field_rule>& fields, std::size_t& count) {
    for (auto& field : fields) {
        for (auto& source : field.sources)
            source.hint = count++;
        number_hints(field.children, count);
    }
}

} // namespace

void parse_fields(parse_context& context, const yaml_node& section) {
    if (!section.is_mapping() || section.members.empty()) {
        context.errors.expected(section, "fields", "a mapping of field names");
        return;
    }
    if (section.members.size() > 100) {
        context.errors.add(section, "fields", "has more than 100 fields");
        return;
    }
    fields_parser{context}.parse_all(section);
    number_hints(context.plan.fields, context.plan.hint_count);
}

} // namespace tiktrend::sources
