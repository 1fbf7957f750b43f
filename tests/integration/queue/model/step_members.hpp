#pragma once
#include <boost/json.hpp>

#include <string>

namespace tiktrend::testing {

namespace json = boost::json;

/// The answer of a command that has nothing to say.
inline const std::string answer_of_nothing = "null";

inline std::string text_member(const json::object& step, std::string_view name, std::string fallback) {
    const auto* value = step.if_contains(name);
    return value ? std::string{value->as_string()} : std::move(fallback);
}

inline std::int64_t integer_member(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value ? value->to_number<std::int64_t>() : 0;
}

inline std::string id_member(const json::object& step) {
    return std::string{step.at("id").as_string()};
}

} // namespace tiktrend::testing
