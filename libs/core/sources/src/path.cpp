#include "path.hpp"

#include "glob.hpp"

#include <algorithm>

namespace tiktrend::sources {

bool path::is_many() const noexcept {
    return std::any_of(steps.begin(), steps.end(), [](const path_step& s) {
        return s.type == path_step::kind::every || s.type == path_step::kind::key_like ||
               s.type == path_step::kind::where;
    });
}

bool has_text(json_node node, std::string_view text) {
    if (!node.exists() || !node.is_scalar() || node.kind() == json_kind::null) return false;
    std::string scratch;
    return node.text(scratch) == text;
}

json_node first_at(json_node from, const path& way) {
    json_node found;
    for_each_at(from, way, [&](json_node node) {
        found = node;
        return false;
    });
    return found;
}

namespace detail {

bool meets_conditions(json_node node, const path_step& step) {
    return std::all_of(step.conditions.begin(), step.conditions.end(),
                       [&](const auto& c) { return has_text(node.member(c.first), c.second); });
}

bool key_matches(const path_step& step, std::string_view key) noexcept {
    return matches_glob(step.text, key);
}

} // namespace detail
} // namespace tiktrend::sources
