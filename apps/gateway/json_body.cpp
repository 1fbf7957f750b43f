#include "json_body.hpp"

#include "characters.hpp"

#include <tiktrend/http/media_type.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tiktrend::gateway {
namespace {

/// Type names as a person who wrote the JSON knows them.
std::string_view type_name(simdjson::dom::element e) {
    using simdjson::dom::element_type;
    switch (e.type()) {
    case element_type::ARRAY:
        return "an array";
    case element_type::OBJECT:
        return "an object";
    case element_type::INT64:
    case element_type::UINT64:
        return "an integer";
    case element_type::DOUBLE:
        return "a number";
    case element_type::STRING:
        return "a string";
    case element_type::BOOL:
        return "a boolean";
    case element_type::NULL_VALUE:
        return "null";
    }
    return "something else";
}

} // namespace

json_object_reader::json_object_reader(simdjson::dom::object object, std::vector<std::string> loc,
                                       std::size_t max_errors)
    : object_{object}, loc_{std::move(loc)}, max_errors_{max_errors} {
    known_.reserve(8); // members of most bodies, in one allocation
}

std::vector<std::string> json_object_reader::place(std::string_view name) const {
    auto out = loc_;
    out.emplace_back(name);
    return out;
}

void json_object_reader::fail(std::string_view name, std::string msg, std::string type) {
    if (errors_.size() < max_errors_) errors_.push_back({place(name), std::move(msg), std::move(type)});
}

void json_object_reader::add(std::vector<http::invalid_field> errors) {
    const auto room = std::min(errors.size(), max_errors_ - errors_.size());
    std::move(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(room),
              std::back_inserter(errors_));
}

std::optional<simdjson::dom::element> json_object_reader::any(std::string_view name) {
    known_.push_back(name);
    simdjson::dom::element e;
    if (object_.at_key(name).get(e) != simdjson::SUCCESS) return std::nullopt;
    return e;
}

std::optional<std::string> json_object_reader::text(std::string_view name, std::size_t min, std::size_t max) {
    const auto e = any(name);
    if (!e) return std::nullopt;
    std::string_view value;
    if (e->get(value) != simdjson::SUCCESS) {
        fail(name, fmt::format("Input should be a valid string, not {}", type_name(*e)), "string_type");
        return std::nullopt;
    }
    const auto length = characters_of(value);
    if (length < min) {
        fail(name, fmt::format("String should have at least {} character{}", min, min == 1 ? "" : "s"),
             "string_too_short");
        return std::nullopt;
    }
    if (length > max) {
        fail(name, fmt::format("String should have at most {} characters", max), "string_too_long");
        return std::nullopt;
    }
    return std::string{value};
}

std::string json_object_reader::required_text(std::string_view name, std::size_t min, std::size_t max) {
    simdjson::dom::element e;
    if (object_.at_key(name).get(e) != simdjson::SUCCESS) {
        known_.push_back(name);
        fail(name, "Field required", "missing");
        return {};
    }
    return text(name, min, max).value_or("");
}

std::optional<std::int64_t> json_object_reader::integer(std::string_view name, std::int64_t min,
                                                        std::int64_t max) {
    const auto e = any(name);
    if (!e) return std::nullopt;
    std::int64_t value = 0;
    if (e->get(value) != simdjson::SUCCESS) {
        fail(name, fmt::format("Input should be a valid integer, not {}", type_name(*e)), "int_type");
        return std::nullopt;
    }
    if (value < min) {
        fail(name, fmt::format("Input should be greater than or equal to {}", min), "greater_than_equal");
        return std::nullopt;
    }
    if (value > max) {
        fail(name, fmt::format("Input should be less than or equal to {}", max), "less_than_equal");
        return std::nullopt;
    }
    return value;
}

std::optional<double> json_object_reader::number(std::string_view name, double min, double max) {
    const auto e = any(name);
    if (!e) return std::nullopt;
    double value = 0;
    if (e->get(value) != simdjson::SUCCESS) {
        fail(name, fmt::format("Input should be a valid number, not {}", type_name(*e)), "float_type");
        return std::nullopt;
    }
    if (!(value >= min && value <= max)) {
        fail(name, fmt::format("Input should be from {} to {}", min, max), "out_of_range");
        return std::nullopt;
    }
    return value;
}

std::optional<simdjson::dom::object> json_object_reader::object(std::string_view name) {
    const auto e = any(name);
    if (!e) return std::nullopt;
    simdjson::dom::object value;
    if (e->get(value) != simdjson::SUCCESS) {
        fail(name, fmt::format("Input should be an object, not {}", type_name(*e)), "dict_type");
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> json_object_reader::one_of(std::string_view name,
                                                      std::initializer_list<std::string_view> choices) {
    auto value = text(name, 0, 100);
    if (!value) return std::nullopt;
    if (std::find(choices.begin(), choices.end(), std::string_view{*value}) == choices.end()) {
        fail(name, fmt::format("Input should be one of {}", fmt::join(choices, ", ")), "enum");
        return std::nullopt;
    }
    return value;
}

std::vector<http::invalid_field> json_object_reader::take_errors() {
    for (const auto& [key, value] : object_) {
        if (errors_.size() >= max_errors_) break;
        if (std::find(known_.begin(), known_.end(), std::string_view{key}) == known_.end())
            fail(key, "Extra inputs are not permitted", "extra_forbidden");
    }
    return std::move(errors_);
}

void json_object_reader::finish() {
    auto errors = take_errors();
    if (!errors.empty()) throw http::validation_problem(std::move(errors));
}

simdjson::dom::object parse_json_object(simdjson::dom::parser& parser, const http::request& r) {
    http::require_json(r);
    simdjson::dom::element root;
    if (const auto error = parser.parse(r.body).get(root); error != simdjson::SUCCESS)
        throw http::problem(400, "invalid_json",
                            fmt::format("The body is not valid JSON: {}", simdjson::error_message(error)));
    simdjson::dom::object object;
    if (root.get(object) != simdjson::SUCCESS)
        throw http::validation_problem(
            {{{"body"}, fmt::format("Input should be an object, not {}", type_name(root)), "dict_type"}});
    return object;
}

} // namespace tiktrend::gateway
