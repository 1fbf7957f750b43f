#pragma once
#include <tiktrend/sources/input.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

struct input_problem {
    input_problem() = default;
    input_problem(std::string message, std::string kind) : msg{std::move(message)}, type{std::move(kind)} {}
    std::string msg;
    std::string type;
};

/// `text` as the input takes it (hosts in lower case, currencies in upper case), or what is wrong with it.
result<std::string, input_problem> check_input_text(const input_field& field, std::string_view text);

/// JSON Schema (2020-12) of an object with these inputs.
std::string input_schema_of(const std::vector<input_field>& inputs);

} // namespace tiktrend::sources
