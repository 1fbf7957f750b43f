#include "input_checks.hpp"
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
    if (!errors.empty()) return errors;
    std::sort(out->all_.begin(), out->all_.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
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
