#include "input_checks.hpp"
#include "json_document.hpp"
#include "yaml_tree.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

/// The text of a JSON value of the kind that the input's type asks for, or what kind it should be.
result<std::string, input_problem> text_of(const input_field& field, json_node node) {
    std::string scratch;
    switch (field.type) {
    case input_type::integer:
        if (!node.is(json_kind::number)) return input_problem{"Input should be a valid integer", "int_type"};
        return std::string{node.raw()};
    case input_type::boolean:
        if (!node.is(json_kind::boolean))
            return input_problem{"Input should be a valid boolean", "bool_type"};
        return std::string{node.raw()};
    default:
        if (!node.is(json_kind::string))
            return input_problem{"Input should be a valid string", "string_type"};
        return std::string{node.text(scratch)};
    }
}

} // namespace

/// Fills an input_values field by field.
class input_checker {
public:
    explicit input_checker(const definition& source) : source_{source} { values_.json_ = "{"; }

    void unknown_members(json_node given) {
        given.each_member([&](std::string_view key, json_node) {
            const auto known = std::any_of(source_.inputs.begin(), source_.inputs.end(),
                                           [&](const auto& i) { return i.name == key; });
            if (!known && errors_.size() < most_errors)
                errors_.push_back({{excerpt(key)}, "Extra inputs are not permitted", "extra_forbidden"});
            return true;
        });
    }

    void field(const input_field& field, json_node node) {
        std::optional<std::string> text;
        if (!node.exists() || node.kind() == json_kind::null) {
            text = field.default_value;
            if (field.required()) errors_.push_back({{field.name}, "Field required", "missing"});
        } else {
            auto value = text_of(field, node);
            if (value) value = check_input_text(field, *value);
            if (value)
                text = std::move(*value);
            else
                errors_.push_back({{field.name}, value.error().msg, value.error().type});
        }
        if (text) append(field, *text);
        values_.entries_.push_back({field.name, std::move(text)});
    }

    result<input_values, std::vector<invalid_field>> finish() {
        values_.json_ += '}';
        if (!errors_.empty()) return std::move(errors_);
        return std::move(values_);
    }

private:
    static constexpr std::size_t most_errors = 20; // a body of a million unknown keys gets a short answer

    void append(const input_field& field, std::string_view text) {
        auto& out = values_.json_;
        if (out.size() > 1) out += ',';
        append_json_string(out, field.name);
        out += ':';
        if (field.type == input_type::integer || field.type == input_type::boolean)
            out += text;
        else
            append_json_string(out, text);
    }

    const definition& source_;
    input_values values_;
    std::vector<invalid_field> errors_;
};

std::optional<std::string_view> input_values::find(std::string_view name) const noexcept {
    for (const auto& e : entries_)
        if (e.name == name && e.text) return std::string_view{*e.text};
    return std::nullopt;
}

result<input_values, std::vector<invalid_field>> validate_input(const definition& source,
                                                                std::string_view json_object) {
    thread_local json_document document; // whose buffers are as large as most inputs need
    const auto status = document.parse(json_object);
    if (status == json_status::bad)
        return std::vector<invalid_field>{
            {{}, "Input should be valid JSON: " + document.problem(), "json_invalid"}};
    const auto given = document.root();
    if (given.exists() && given.kind() != json_kind::null && given.kind() != json_kind::object)
        return std::vector<invalid_field>{{{}, "Input should be an object", "dict_type"}};

    input_checker checker{source};
    checker.unknown_members(given);
    for (const auto& field : source.inputs)
        checker.field(field, given.member(field.name));
    return checker.finish();
}

} // namespace tiktrend::sources
