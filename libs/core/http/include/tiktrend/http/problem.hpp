#pragma once
#include <tiktrend/http/message.hpp>

#include <chrono>
#include <exception>
#include <optional>

namespace tiktrend::http {

/// One entry of a validation problem, in FastAPI's shape: where, what, which kind.
struct invalid_field {
    std::vector<std::string> loc; ///< e.g. {"body","filters","page"}; whole numbers are array indexes
    std::string msg;              ///< a sentence for the person who sent it
    std::string
        type; ///< stable name: missing, string_type, int_type, enum, greater_than_equal, extra_forbidden …
};

/// RFC 9457 problem details with `code`, `request_id` and FastAPI's `detail`/`errors` inside (ops.md section
/// 4). Throw it from a handler, or make it a response.
class problem : public std::exception {
public:
    problem(int status, std::string code, std::string detail);

    problem& with_retry_after(std::chrono::seconds after);
    problem& with_header(std::string name, std::string value);
    problem& with_errors(std::vector<invalid_field> errors);
    problem& with_type(std::string uri);
    /// A further member, as JSON text.
    problem& with_member(std::string name, std::string json);

    int status() const noexcept { return status_; }
    const std::string& code() const noexcept { return code_; }
    const char* what() const noexcept override { return detail_.c_str(); }

    /// application/problem+json; `instance` is /requests/<request_id>.
    response to_response(std::string_view request_id) const;

private:
    int status_;
    std::string code_;
    std::string detail_;
    std::string type_;
    std::vector<invalid_field> errors_;
    std::vector<std::pair<std::string, std::string>> headers_;
    std::vector<std::pair<std::string, std::string>> members_;
};

/// 422 with `errors`.
problem validation_problem(std::vector<invalid_field> errors);
std::string_view reason_phrase(int status) noexcept;

} // namespace tiktrend::http
