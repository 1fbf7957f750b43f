#pragma once
#include "query_reader.hpp"

#include <tiktrend/http/message.hpp>
#include <tiktrend/http/problem.hpp>

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::gateway {

/// Reads a JSON object member by member and collects every mistake in FastAPI's shape, so that a client sees
/// all of them at once. Usage: read the members, then finish(), which throws the 422 problem if there was a
/// mistake or an unknown member. The number of mistakes is bounded, as their text is longer than what they
/// are about.
class json_object_reader {
public:
    /// `loc` is the place of the object, e.g. {"body"}. The object must outlive the reader. `max_errors`: so
    /// many are noted.
    json_object_reader(simdjson::dom::object object, std::vector<std::string> loc,
                       std::size_t max_errors = max_invalid_fields);

    std::optional<std::string> text(std::string_view name, std::size_t min, std::size_t max);
    std::string required_text(std::string_view name, std::size_t min, std::size_t max);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
    std::optional<double> number(std::string_view name, double min, double max);
    /// A member that must be an object; its members are not looked at here.
    std::optional<simdjson::dom::object> object(std::string_view name);
    /// The member whatever its type is.
    std::optional<simdjson::dom::element> any(std::string_view name);
    std::optional<std::string> one_of(std::string_view name, std::initializer_list<std::string_view> choices);

    void fail(std::string_view name, std::string msg, std::string type);
    void add(std::vector<http::invalid_field> errors);
    std::vector<std::string> place(std::string_view name) const;

    /// Notes unknown members as `extra_forbidden`; gives all mistakes.
    std::vector<http::invalid_field> take_errors();
    /// Throws validation_problem if there was a mistake.
    void finish();

private:
    simdjson::dom::object object_;
    std::vector<std::string> loc_;
    std::vector<std::string_view> known_;
    std::size_t max_errors_;
    std::vector<http::invalid_field> errors_;
};

/// Parses the body of a request as one JSON object. Throws problems: 415 for another content type, 400
/// `invalid_json` for text that is not JSON (with the reason), 422 if it is JSON but not an object. The
/// parser keeps the memory of the result.
simdjson::dom::object parse_json_object(simdjson::dom::parser& parser, const http::request& r);

} // namespace tiktrend::gateway
