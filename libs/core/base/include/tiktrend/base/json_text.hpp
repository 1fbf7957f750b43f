#pragma once
// Writing JSON text piece by piece where building a document would cost more than it gives (logs, hot
// responses, job options).
#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend {

/// Appends `text` as a JSON string with quotes (RFC 8259 section 7). Bytes that are not valid UTF-8 become
/// U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest decimal that reads back as `value`; NaN and infinities become null (JSON has none).
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, std::int64_t value);

/// `text` with every byte sequence that is not valid UTF-8 replaced by U+FFFD and U+0000 removed, as
/// PostgreSQL text needs.
std::string repair_utf8(std::string_view text);

/// True if `text` is valid UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool is_valid_utf8(std::string_view text) noexcept;

} // namespace tiktrend
