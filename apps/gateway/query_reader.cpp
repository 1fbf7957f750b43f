#include "query_reader.hpp"

#include "characters.hpp"

#include <tiktrend/http/query.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace tiktrend::gateway {
namespace {

bool all_digits(std::string_view s) {
    return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_control(char c) {
    return (c >= 0 && c < ' ') || c == 0x7f;
}

} // namespace

query_reader::query_reader(const http::request& r) {
    auto pairs = http::parse_query(r.query);
    if (!pairs) throw http::problem(400, "bad_query", "The query string is not valid percent-encoded UTF-8.");
    pairs_ = std::move(*pairs);
}

void query_reader::fail(std::string_view name, std::string msg, std::string type) {
    if (errors_.size() < max_invalid_fields)
        errors_.push_back({{"query", std::string{name}}, std::move(msg), std::move(type)});
}

std::optional<std::string> query_reader::take(std::string_view name) {
    known_.push_back(name);
    std::optional<std::string> out;
    for (const auto& [key, value] : pairs_)
        if (key == name) {
            if (out) {
                fail(name, "Parameter may be given only once", "repeated");
                return std::nullopt;
            }
            out = value;
        }
    return out;
}

std::optional<std::string> query_reader::text(std::string_view name, std::size_t max) {
    auto value = take(name);
    if (!value) return std::nullopt;
    if (value->empty() || characters_of(*value) > max) {
        fail(name, fmt::format("String should have 1 to {} characters", max), "string_length");
        return std::nullopt;
    }
    if (std::any_of(value->begin(), value->end(), is_control)) {
        fail(name, "String should not contain control characters", "string_pattern_mismatch");
        return std::nullopt;
    }
    return value;
}

std::optional<std::int64_t> query_reader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
    const auto value = take(name);
    if (!value) return std::nullopt;
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(value->data(), value->data() + value->size(), n);
    if (ec != std::errc{} || end != value->data() + value->size()) {
        fail(name, "Input should be a valid integer", "int_parsing");
        return std::nullopt;
    }
    if (n < min || n > max) {
        fail(name, fmt::format("Input should be from {} to {}", min, max),
             n < min ? "greater_than_equal" : "less_than_equal");
        return std::nullopt;
    }
    return n;
}

std::optional<bool> query_reader::flag(std::string_view name) {
    const auto value = take(name);
    if (!value) return std::nullopt;
    if (*value == "true" || *value == "1") return true;
    if (*value == "false" || *value == "0") return false;
    fail(name, "Input should be true or false", "bool_parsing");
    return std::nullopt;
}

std::optional<std::string> query_reader::one_of(std::string_view name,
                                                std::initializer_list<std::string_view> choices) {
    auto value = take(name);
    if (!value) return std::nullopt;
    if (std::find(choices.begin(), choices.end(), std::string_view{*value}) == choices.end()) {
        fail(name, fmt::format("Input should be one of {}", fmt::join(choices, ", ")), "enum");
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> query_reader::decimal(std::string_view name) {
    const auto value = take(name);
    if (!value) return std::nullopt;
    const auto point = value->find('.');
    auto whole = value->substr(0, point);
    auto fraction = point == std::string::npos ? std::string{} : value->substr(point + 1);
    if (!all_digits(whole) || whole.size() > 12 ||
        (point != std::string::npos && (!all_digits(fraction) || fraction.size() > 4))) {
        fail(name, "Input should be a decimal number such as 19.90, not negative", "decimal_parsing");
        return std::nullopt;
    }
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    while (!fraction.empty() && fraction.back() == '0')
        fraction.pop_back();
    return fraction.empty() ? whole : whole + '.' + fraction;
}

void query_reader::finish() {
    for (const auto& [key, value] : pairs_) // their number is bounded by the length of a request's head
        if (std::find(known_.begin(), known_.end(), std::string_view{key}) == known_.end())
            fail(key, "Extra inputs are not permitted", "extra_forbidden");
    if (!errors_.empty()) throw http::validation_problem(std::move(errors_));
}

http::handler without_query(http::handler next) {
    return [next = std::move(next)](http::request& r) {
        if (!r.query.empty()) query_reader{r}.finish();
        return next(r);
    };
}

} // namespace tiktrend::gateway
