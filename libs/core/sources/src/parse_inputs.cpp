#include "definition_parser.hpp"
#include "input_checks.hpp"

#include <limits>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, input_type>, 8> types{{
    {"string", input_type::string},
    {"integer", input_type::integer},
    {"bool", input_type::boolean},
    {"currency", input_type::currency},
    {"host", input_type::host},
    {"origin", input_type::origin},
    {"url", input_type::url},
    {"css", input_type::css},
}};

bool has_hosts(input_type type) noexcept {
    return type == input_type::host || type == input_type::origin || type == input_type::url;
}

void parse_bounds(mistakes& errors, mapping_reader& keys, input_field& input) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    constexpr auto highest = std::numeric_limits<std::int64_t>::max();
    if (input.type == input_type::integer) {
        input.min = keys.integer("min", lowest, highest).value_or(lowest);
        input.max = keys.integer("max", lowest, highest).value_or(highest);
    } else if (input.type == input_type::string) {
        input.min = keys.integer("min", 0, 10'000).value_or(1);
        input.max = keys.integer("max", 1, 10'000).value_or(200);
        if (const auto text = keys.text("pattern", 1024)) {
            auto compiled = pattern::compile(*text);
            if (compiled)
                input.matches = std::move(*compiled);
            else
                errors.add(*keys.node().find("pattern"), keys.path("pattern"),
                           fmt::format("expected a regular expression (RE2 syntax): {}", compiled.error()));
        }
    }
    if (input.min > input.max) errors.add(keys.node(), keys.field(), "min is above max");
}

/// The texts of `enum` in the form that the input takes.
void parse_choices(mistakes& errors, mapping_reader& keys, input_field& input) {
    const auto given = keys.texts("enum");
    if (!given) return;
    const auto& node = *keys.node().find("enum");
    if (given->empty()) errors.expected(node, keys.path("enum"), "at least one value");
    const auto without_choices = input; // what is being read cannot be checked against itself
    for (const auto& text : *given) {
        auto value = check_input_text(without_choices, text);
        if (value)
            input.choices.push_back(std::move(*value));
        else
            errors.add(node, keys.path("enum"), fmt::format("\"{}\": {}", excerpt(text), value.error().msg));
    }
}

void parse_input(parse_context& context, const yaml_node::member& m) {
    auto& errors = context.errors;
    const auto field = child("input", m.key);
    if (!is_name(m.key)) {
        errors.add(m.line, m.column, field, "expected a name of lower-case letters, digits and underscores");
        return;
    }
    mapping_reader keys{errors, m.value, field};
    if (!keys.is_good()) return;
    input_field input;
    input.name = m.key;
    const bool has_type = m.value.find("type") != nullptr;
    if (const auto type = keys.choice("type", types))
        input.type = *type;
    else if (!has_type && m.value.find("enum") == nullptr)
        errors.add(m.value, field, "expected a type or an enum");
    input.about = keys.text("about").value_or("");
    input.optional = keys.boolean("optional").value_or(false);
    parse_bounds(errors, keys, input);
    if (has_hosts(input.type)) input.hosts = keys.texts("hosts").value_or(std::vector<std::string>{});
    parse_choices(errors, keys, input);
    if (const auto* node = keys.take("default")) {
        if (!node->is_scalar()) {
            errors.expected(*node, keys.path("default"), "a value of the input's type");
        } else if (auto value = check_input_text(input, node->text)) {
            input.default_value = std::move(*value);
        } else {
            errors.add(*node, keys.path("default"),
                       fmt::format("\"{}\": {}", excerpt(node->text), value.error().msg));
        }
    }
    if (input.optional && input.default_value)
        errors.add(m.value, field, "is optional and has a default: choose one");
    keys.finish();
    context.source.inputs.push_back(std::move(input));
}

} // namespace

void parse_inputs(parse_context& context, const yaml_node& section) {
    if (!section.is_mapping()) {
        context.errors.expected(section, "input", "a mapping of input names");
        return;
    }
    if (section.members.size() > 50) context.errors.add(section, "input", "has more than 50 inputs");
    for (const auto& m : section.members)
        parse_input(context, m);
}

} // namespace tiktrend::sources
