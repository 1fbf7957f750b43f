#pragma once
// What a job gives to a definition: checked once by the gateway (422) and again by the worker, as others can
// add jobs too.
#include <tiktrend/sources/definition.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// Checked inputs as text, ready for templates. Every input of the definition is there, in its order.
class input_values {
public:
    struct entry {
        std::string name;
        std::optional<std::string> text; ///< nothing: optional and not given
    };

    /// Nothing if the input is absent or unknown. The view lives as long as this object.
    std::optional<std::string_view> find(std::string_view name) const noexcept;

    const std::vector<entry>& entries() const noexcept { return entries_; }
    /// The same as canonical JSON object text with defaults filled in and absent ones left out: equal inputs
    /// give equal text.
    const std::string& json() const noexcept { return json_; }

private:
    friend class input_checker;
    std::vector<entry> entries_;
    std::string json_;
};

/// One wrong input, in the shape of the API's `errors[{loc,msg,type}]` (the caller prepends its own
/// location).
struct invalid_field {
    std::vector<std::string> loc; ///< e.g. {"shop"}; empty when the whole value is wrong
    std::string msg;
    std::string type; ///< missing, extra_forbidden, string_type, int_type, bool_type, enum,
                      ///< string_pattern_mismatch, …
};

/// What result::value() does when there are errors: throws std::runtime_error with all of them.
[[noreturn]] void throw_exception_from_error(const std::vector<invalid_field>& errors,
                                             const boost::source_location&);

/// Checks a JSON object (`filters` of a job). Empty text and `null` count as {}. Every mistake is reported,
/// not the first only.
result<input_values, std::vector<invalid_field>> validate_input(const definition& source,
                                                                std::string_view json_object);

} // namespace tiktrend::sources
