// What a field is and where its value comes from.
#include "canonical.hpp"
#include "fields_parser.hpp"

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

} // namespace

std::string_view name_of(field_type type) noexcept {
    for (const auto& [name, t] : types)
        if (t == type) return name;
    return "any";
}

void fields_parser::parse_type(mapping_reader& keys, field_rule& rule) {
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
bool fields_parser::parse_shape(mapping_reader& keys, field_rule& rule) {
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
            if (auto source = parse_alternative(m.value, child(keys.path("object"), m.key), rule))
                rule.members.emplace_back(m.key, std::move(*source));
        return true;
    }
    const auto* rows = keys.take("rows");
    if (rows == nullptr) return false;
    rule.form = field_rule::shape::rows;
    set_json_type(keys, rule);
    if (rows->is_mapping()) {
        mapping_reader inside{errors_, *rows, keys.path("rows")};
        if (auto what = parse_selector(context_, inside, false))
            rule.sources.push_back({std::nullopt, std::move(*what)});
        else
            errors_.expected(*rows, keys.path("rows"), "a path, {css: …} or {xpath: …}");
        inside.finish();
    } else if (auto way = parse_path(errors_, *rows, keys.path("rows"))) {
        rule.sources.push_back({std::nullopt, std::move(*way)});
    }
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

void fields_parser::set_json_type(mapping_reader& keys, field_rule& rule) {
    if (!rule.canonical.empty())
        errors_.add(
            keys.node(), keys.field(),
            fmt::format("{} is {} in every source: choose another name", rule.canonical, name_of(rule.type)));
    rule.type = field_type::json;
}

void fields_parser::parse_each(mapping_reader& keys, const yaml_node& each, field_rule& rule) {
    rule.form = field_rule::shape::each;
    if (!rule.sources.empty())
        errors_.add(each, keys.path("each"),
                    "stands alone: expected no path, any_of, value or template beside it");
    if (rule.type == field_type::any) rule.type = field_type::list;
    if (rule.type != field_type::list)
        errors_.add(each, keys.path("each"), "gives a list: expected type list");
    if (!each.is_sequence() || each.items.empty()) {
        errors_.expected(each, keys.path("each"), "a list of paths");
        return;
    }
    for (std::size_t i = 0; i < each.items.size(); ++i)
        if (auto source = parse_alternative(each.items[i], child(keys.path("each"), i), rule))
            rule.sources.push_back(std::move(*source));
}

void fields_parser::parse_sources(mapping_reader& keys, field_rule& rule) {
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
    if (auto what = parse_selector(context_, keys, true))
        rule.sources.push_back({std::nullopt, std::move(*what)});
    for (const auto* name : {"value", "template"})
        if (const auto* node = keys.take(name))
            if (auto source = parse_template(*node, keys.path(name), rule))
                rule.sources.push_back(std::move(*source));
    if (const auto* symbol = keys.take("from_symbol"))
        if (auto source = parse_symbol(*symbol, keys.path("from_symbol"), rule))
            rule.sources.push_back(std::move(*source));
}

/// field:price: the currency whose sign stands in what that field found.
std::optional<value_source> fields_parser::parse_symbol(const yaml_node& node, const std::string& field,
                                                        const field_rule& rule) {
    const auto index = node.is_scalar() && node.text.starts_with("field:")
                           ? field_index(std::string_view{node.text}.substr(6))
                           : std::nullopt;
    if (!index || rule.type != field_type::currency) {
        errors_.expected(node, field, "field:<name>, in a field of type currency");
        return std::nullopt;
    }
    return value_source{std::nullopt, symbol_source{*index}};
}

/// {css: …}, {xpath: …}, each with attr: …
std::optional<value_source> fields_parser::parse_selected(const yaml_node& node, const std::string& field,
                                                          std::optional<std::size_t> document) {
    mapping_reader keys{errors_, node, field};
    auto what = parse_selector(context_, keys, true);
    keys.finish();
    if (!what) return std::nullopt;
    return value_source{document, std::move(*what)};
}

/// A path, or {path: …}, {css: …}, {value: …}, {template: …}, {from_symbol: …} or {<document>: <path>}.
std::optional<value_source> fields_parser::parse_alternative(const yaml_node& node, const std::string& field,
                                                             const field_rule& rule) {
    if (!node.is_mapping()) {
        auto way = parse_path(errors_, node, field);
        if (!way) return std::nullopt;
        return value_source{std::nullopt, std::move(*way)};
    }
    if (node.find("css") != nullptr || node.find("xpath") != nullptr)
        return parse_selected(node, field, std::nullopt);
    if (node.members.size() != 1) {
        errors_.add(
            node, field,
            "expected one key: path, css, xpath, value, template, from_symbol or the name of a document");
        return std::nullopt;
    }
    const auto& m = node.members.front();
    if (m.key == "value" || m.key == "template") return parse_template(m.value, child(field, m.key), rule);
    if (m.key == "from_symbol") return parse_symbol(m.value, child(field, m.key), rule);
    const auto document = context_.document_index(m.key);
    if (m.key != "path" && !document) {
        errors_.add(
            m.line, m.column, child(field, m.key),
            fmt::format("unknown key; expected path, css, xpath, value, template, from_symbol or one of the "
                        "documents {}",
                        context_.document_names()));
        return std::nullopt;
    }
    if (document && context_.plan.documents[*document].is_tree()) {
        if (m.value.is_mapping()) return parse_selected(m.value, child(field, m.key), document);
        errors_.expected(m.value, child(field, m.key), "{css: …} or {xpath: …}, as this document is a page");
        return std::nullopt;
    }
    auto way = parse_path(errors_, m.value, child(field, m.key));
    if (!way) return std::nullopt;
    return value_source{m.key == "path" ? std::nullopt : document, std::move(*way)};
}

std::optional<value_source> fields_parser::parse_template(const yaml_node& node, const std::string& field,
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

} // namespace tiktrend::sources
