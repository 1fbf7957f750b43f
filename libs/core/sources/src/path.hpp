#pragma once
// Paths into JSON: lists of steps. What is not there gives nothing, never an error.
#include "json_document.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tiktrend::sources {

struct path_step {
    enum class kind : std::uint8_t {
        key,      ///< member of an object
        index,    ///< element of an array, from the end when negative
        every,    ///< "*": all elements or all values
        key_like, ///< members whose key matches a glob
        where,    ///< elements (or the object itself) whose members have these texts
        pointer,  ///< token of a JSON Pointer: a key, or an index when it meets an array (RFC 6901 section 4)
    };
    path_step::kind type = kind::key;
    std::string text;        ///< key, glob or pointer token
    std::int64_t index = -1; ///< pointer: -1 when the token is no index
    std::vector<std::pair<std::string, std::string>> conditions;
};

struct path {
    std::vector<path_step> steps;
    std::string written; ///< as in the file, for messages

    /// True if it may lead to more than one value.
    bool is_many() const noexcept;
};

/// True if `node` is a scalar other than null with exactly this text.
bool has_text(json_node node, std::string_view text);

namespace detail {

bool meets_conditions(json_node node, const path_step& step);
bool key_matches(const path_step& step, std::string_view key) noexcept;

template <class Visit>
bool walk_path(json_node node, const path_step* step, const path_step* end, Visit& visit) {
    for (; step != end; ++step) {
        switch (step->type) {
        case path_step::kind::key:
            node = node.member(step->text);
            break;
        case path_step::kind::index:
            node = node.element(step->index);
            break;
        case path_step::kind::pointer:
            if (node.is(json_kind::array))
                node = step->index >= 0 ? node.element(step->index) : json_node{};
            else
                node = node.member(step->text);
            break;
        case path_step::kind::every:
            return node.each_value([&](json_node child) { return walk_path(child, step + 1, end, visit); });
        case path_step::kind::key_like:
            return node.each_member([&](std::string_view key, json_node child) {
                return !key_matches(*step, key) || walk_path(child, step + 1, end, visit);
            });
        case path_step::kind::where:
            if (node.is(json_kind::array))
                return node.each_value([&](json_node child) {
                    return !meets_conditions(child, *step) || walk_path(child, step + 1, end, visit);
                });
            if (!meets_conditions(node, *step)) return true;
            break;
        }
        if (!node.exists()) return true;
    }
    return visit(node);
}

} // namespace detail

/// Calls visit(json_node) for every value that `way` leads to, until it returns false.
template <class Visit>
void for_each_at(json_node from, const path& way, Visit&& visit) {
    if (!from.exists()) return;
    auto& callable = visit;
    detail::walk_path(from, way.steps.data(), way.steps.data() + way.steps.size(), callable);
}

/// The first value that `way` leads to, or nothing.
json_node first_at(json_node from, const path& way);

} // namespace tiktrend::sources
