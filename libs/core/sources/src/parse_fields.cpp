// The fields of a definition: names first, then each by itself, then what they say of each other.
#include "canonical.hpp"
#include "fields_parser.hpp"

namespace tiktrend::sources {
namespace {

void number_hints(std::vector<field_rule>& fields, std::size_t& count) {
    for (auto& field : fields) {
        for (auto& source : field.sources)
            source.hint = count++;
        for (auto& member : field.members)
            member.second.hint = count++;
        number_hints(field.children, count);
    }
}

} // namespace

void fields_parser::parse_all(const yaml_node& section) {
    for (const auto& m : section.members) {
        field_rule rule;
        rule.name = m.key;
        rule.line = m.line;
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

void fields_parser::parse_field(const yaml_node::member& m, const std::string& field, field_rule& rule,
                                bool is_nested) {
    if (!is_name(m.key))
        errors_.add(m.line, m.column, field, "expected a name of lower-case letters, digits and underscores");
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
        keys.finish();
        return;
    }
    parse_sources(keys, rule);
    if (const auto* each = is_nested ? nullptr : keys.take("each")) parse_each(keys, *each, rule);
    if (rule.sources.empty() && rule.form == field_rule::shape::single)
        errors_.add(
            m.value, field,
            fmt::format("expected where the value is: one of path, css, xpath, any_of, value, template{}",
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
    keys.finish();
}

std::optional<std::size_t> fields_parser::field_index(std::string_view name) const noexcept {
    const auto& fields = context_.plan.fields;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i].name == name) return i;
    return std::nullopt;
}

/// What can only be told once every field has been read.
void fields_parser::check_references(const yaml_node::member& m, std::size_t index) {
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

std::vector<std::size_t> fields_parser::references_of(const field_rule& rule) const {
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
void fields_parser::put_in_order(const yaml_node& section) {
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
