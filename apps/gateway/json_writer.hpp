#pragma once
#include <tiktrend/base/json_text.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// RFC 3339 in UTC with milliseconds: 2026-11-23T12:00:00.000Z.
std::string rfc3339(std::int64_t unix_ms);

/// Members of one JSON object, written in order.
class json_object_writer {
public:
    void text(std::string_view name, std::string_view value) {
        key(name);
        append_json_string(out_, value);
    }
    /// A string, or null.
    void optional_text(std::string_view name, const std::optional<std::string>& value) {
        key(name);
        if (value)
            append_json_string(out_, *value);
        else
            out_ += "null";
    }
    void integer(std::string_view name, std::int64_t value) {
        key(name);
        append_json_number(out_, value);
    }
    /// JSON text, or null when it is empty.
    void json(std::string_view name, std::string_view value) {
        key(name);
        out_ += value.empty() ? std::string_view{"null"} : value;
    }
    void time(std::string_view name, std::optional<std::int64_t> ms) {
        key(name);
        if (ms)
            append_json_string(out_, rfc3339(*ms));
        else
            out_ += "null";
    }
    std::string take() { return (out_.empty() ? "{" : std::move(out_)) + '}'; }

private:
    void key(std::string_view name) {
        out_ += out_.empty() ? '{' : ',';
        append_json_string(out_, name);
        out_ += ':';
    }
    std::string out_;
};

} // namespace tiktrend::gateway
