#include "input_checks.hpp"
#include "plan.hpp"
#include "yaml_tree.hpp"

#include <tiktrend/sources/registry.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

using defaults = std::map<std::string, std::string, std::less<>>;

/// A copy of `source` with the operator's defaults and caps.
definition_ptr adapt(const definition& source, const registry_options& options, defaults& unused,
                     std::vector<definition_error>& errors) {
    auto out = std::make_shared<definition>(source);
    for (auto& input : out->inputs) {
        const auto given = unused.find(fmt::format("{}.{}", source.id, input.name));
        if (given == unused.end()) continue;
        auto value = check_input_text(input, given->second);
        if (value) {
            input.default_value = std::move(*value);
            input.optional = false;
        } else {
            errors.push_back({source.file, 0, 0, fmt::format("input.{}", input.name),
                              fmt::format("the operator's default \"{}\": {}", excerpt(given->second),
                                          value.error().msg)});
        }
        unused.erase(given);
    }
    out->input_schema = input_schema_of(out->inputs);
    if (options.caps) out->limits = out->limits.capped_by(*options.caps);
    return out;
}

/// The schema of an alias, once the definitions are known.
void complete(source_alias& alias, const registry& all, std::vector<definition_error>& errors) {
    if (all.find(alias.id) != nullptr)
        errors.push_back(
            {alias.file, 0, 0, "id", fmt::format("\"{}\" is the id of a definition too", alias.id)});
    std::string choices;
    std::string definitions;
    for (const auto& [choice, id] : alias.choices) {
        const auto target = all.find(id);
        if (!target) {
            errors.push_back(
                {alias.file, 0, 0, "alias.choices." + choice, fmt::format("there is no source \"{}\"", id)});
            continue;
        }
        choices += fmt::format("{}\"{}\"", choices.empty() ? "" : ",", choice);
        definitions +=
            fmt::format("{}\"{}\":{}", definitions.empty() ? "" : ",", choice, target->input_schema);
    }
    const auto fallback = alias.default_choice.empty()
                              ? std::string{}
                              : fmt::format(",\"default\":\"{}\"", alias.default_choice);
    alias.input_schema =
        fmt::format(R"({{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",)"
                    R"("properties":{{"{}":{{"type":"string","enum":[{}]{}}}}},"$defs":{{{}}}}})",
                    alias.by, choices, fallback, definitions);
}

/// Links may be handed on only to sources that are there and have the inputs.
void check_follows(const registry& all, std::vector<definition_error>& errors) {
    for (const auto& source : all.all())
        for (const auto& rule : source->plan->follow) {
            const auto fail = [&](std::string why) {
                errors.push_back({source->file, 0, 0, "follow", std::move(why)});
            };
            const auto target = all.find(rule.source);
            if (target == nullptr) {
                fail(fmt::format("there is no source \"{}\"", rule.source));
                continue;
            }
            auto names = rule.hand_on;
            names.push_back(rule.input);
            for (const auto& name : names)
                if (std::none_of(target->inputs.begin(), target->inputs.end(),
                                 [&](const auto& i) { return i.name == name; }))
                    fail(fmt::format("{} has no input \"{}\"", rule.source, name));
        }
}

} // namespace

definition_ptr registry::find(std::string_view id) const noexcept {
    const auto found = std::lower_bound(all_.begin(), all_.end(), id,
                                        [](const auto& d, std::string_view i) { return d->id < i; });
    return found != all_.end() && (*found)->id == id ? *found : nullptr;
}

registry_result make_registry(const std::vector<source_file>& files, const registry_options& options) {
    auto out = std::make_shared<registry>();
    std::vector<definition_error> errors;
    auto unused = options.input_defaults;
    for (const auto& file : files) {
        if (is_alias(file.text)) {
            auto alias = parse_alias(file.name, file.text);
            if (alias) {
                out->aliases_.push_back(std::move(*alias));
            } else {
                const auto mistakes = alias.error();
                errors.insert(errors.end(), mistakes.begin(), mistakes.end());
            }
            continue;
        }
        auto parsed = parse_definition(file.name, file.text);
        if (!parsed) {
            const auto mistakes = parsed.error(); // a copy each time it is asked for
            errors.insert(errors.end(), mistakes.begin(), mistakes.end());
            continue;
        }
        const auto twin = std::find_if(out->all_.begin(), out->all_.end(),
                                       [&](const auto& d) { return d->id == (*parsed)->id; });
        if (twin != out->all_.end()) {
            errors.push_back({file.name, 0, 0, "id",
                              fmt::format("\"{}\" is the id of {} too", (*parsed)->id, (*twin)->file)});
            continue;
        }
        out->all_.push_back(adapt(**parsed, options, unused, errors));
    }
    for (const auto& [name, value] : unused)
        errors.push_back({"operator's input defaults", 0, 0, name,
                          "names no input of any definition (expected <id>.<input>)"});
    std::sort(out->all_.begin(), out->all_.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
    for (auto& alias : out->aliases_)
        complete(alias, *out, errors);
    check_follows(*out, errors);
    if (!errors.empty()) return errors;
    return registry_ptr{std::move(out)};
}

result<std::map<std::string, std::string, std::less<>>, std::string>
parse_input_defaults(const std::vector<std::string>& entries) {
    defaults out;
    for (const auto& entry : entries) {
        const auto equals = entry.find('=');
        if (equals == std::string::npos || equals == 0) return entry;
        out[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    return out;
}

} // namespace tiktrend::sources
