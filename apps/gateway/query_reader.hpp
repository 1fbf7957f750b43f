#pragma once
#include <tiktrend/http/message.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/router.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::gateway {

/// So many mistakes of one request are told at most; what is wrong a hundred times is clear by then, and the
/// answer stays small.
inline constexpr std::size_t max_invalid_fields = 100;

/// Reads query parameters as json_object_reader reads members: unknown, repeated and wrong ones are all
/// reported in one 422.
class query_reader {
public:
    /// Throws problem 400 `bad_query` if the query cannot be decoded.
    explicit query_reader(const http::request& r);

    /// 1 to `max` bytes without control characters.
    std::optional<std::string> text(std::string_view name, std::size_t max);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
    std::optional<bool> flag(std::string_view name);
    std::optional<std::string> one_of(std::string_view name, std::initializer_list<std::string_view> choices);
    /// A decimal number that is not negative, as canonical text ("10.50" → "10.5"); at most 12 digits before
    /// the point and 4 after.
    std::optional<std::string> decimal(std::string_view name);

    void fail(std::string_view name, std::string msg, std::string type);
    void finish();

private:
    std::optional<std::string> take(std::string_view name);
    std::vector<std::pair<std::string, std::string>> pairs_;
    std::vector<std::string_view> known_;
    std::vector<http::invalid_field> errors_;
};

/// `next`, for calls without query parameters: any is a mistake (422).
http::handler without_query(http::handler next);

} // namespace tiktrend::gateway
