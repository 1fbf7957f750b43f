#include "json_document.hpp"
#include "mapping_reader.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/sources/alias.hpp>
#include <tiktrend/sources/registry.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

void read_texts(mistakes& errors, mapping_reader& keys, std::string_view key,
                std::map<std::string, std::string, std::less<>>& out) {
    const auto* section = keys.take(key);
    if (section == nullptr) return;
    if (!section->is_mapping()) {
        errors.expected(*section, keys.path(key), "a mapping of names to names");
        return;
    }
    for (const auto& m : section->members)
        if (m.value.is_scalar() && is_name(m.key))
            out[m.key] = m.value.text;
        else
            errors.expected(m.value, child(keys.path(key), m.key), "a name");
}

/// `object` without the member `left_out`, as JSON text.
std::string without(json_node object, std::string_view left_out) {
    std::string out = "{";
    object.each_member([&](std::string_view key, json_node value) {
        if (key == left_out) return true;
        if (out.size() > 1) out += ',';
        append_json_string(out, key);
        out += ':';
        value.append_to(out);
        return true;
    });
    return out + '}';
}

} // namespace

bool is_alias(std::string_view yaml_text) {
    std::vector<definition_error> ignored;
    const auto root = load_yaml("", yaml_text, ignored);
    return root && root->find("alias") != nullptr;
}

result<source_alias, std::vector<definition_error>> parse_alias(std::string_view file_name,
                                                                std::string_view yaml_text) {
    mistakes errors{file_name};
    const auto root = load_yaml(file_name, yaml_text, errors.all());
    if (!root) return std::move(errors.all());
    source_alias out;
    out.file = file_name;
    mapping_reader keys{errors, *root, ""};
    if (const auto* format = keys.require("format", "1"); format != nullptr && format->text != "1")
        errors.expected(*format, "format", "1");
    keys.require("id", "a name");
    out.id = keys.text("id", 100).value_or("");
    out.about = keys.text("about").value_or("");
    if (const auto* section = keys.require("alias", "{by: …, choices: {…}}")) {
        mapping_reader alias{errors, *section, "alias"};
        alias.require("by", "the name of the filter that chooses");
        out.by = alias.text("by", 64).value_or("");
        out.default_choice = alias.text("default", 64).value_or("");
        alias.require("choices", "a mapping of choices to the ids of sources");
        read_texts(errors, alias, "choices", out.choices);
        read_texts(errors, alias, "given", out.given);
        const auto check = [&](const std::string& choice, std::string_view key) {
            if (!choice.empty() && !out.choices.contains(choice))
                errors.add(*section, alias.path(key), fmt::format("\"{}\" is none of the choices", choice));
        };
        check(out.default_choice, "default");
        for (const auto& [filter, choice] : out.given)
            check(choice, "given");
        alias.finish();
    }
    keys.finish();
    if (errors.any()) return std::move(errors.all());
    return out;
}

result<chosen_source, std::vector<invalid_field>> registry::choose(std::string_view id,
                                                                   std::string_view filters) const {
    if (auto exact = find(id)) return chosen_source{std::move(exact), std::string{filters}};
    const auto alias =
        std::find_if(aliases_.begin(), aliases_.end(), [&](const auto& a) { return a.id == id; });
    if (alias == aliases_.end()) return chosen_source{};
    json_document document;
    const auto status = document.parse(filters);
    const auto root = document.root();
    const bool is_nothing = status == json_status::empty || root.kind() == json_kind::null;
    if (!is_nothing && !root.is(json_kind::object))
        return std::vector<invalid_field>{{{}, "Input should be a valid dictionary", "dict_type"}};
    std::string choice = alias->default_choice;
    std::string scratch;
    for (const auto& [filter, by_filter] : alias->given)
        if (const auto node = root.member(filter); node.exists() && node.kind() != json_kind::null)
            choice = by_filter;
    if (const auto node = root.member(alias->by); node.is(json_kind::string)) choice = node.text(scratch);
    const auto target = alias->choices.find(choice);
    if (target == alias->choices.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, source] : alias->choices)
            names.push_back(name);
        return std::vector<invalid_field>{
            {{alias->by}, fmt::format("Input should be one of {}", fmt::join(names, ", ")), "enum"}};
    }
    return chosen_source{find(target->second), is_nothing ? "{}" : without(root, alias->by)};
}

} // namespace tiktrend::sources
