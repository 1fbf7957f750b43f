#pragma once
// JSON string escapes (RFC 8259 section 7), done here because simdjson 3.0.1 refuses a whole document for one
// lone surrogate.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// Checks every escape of `raw` (the text between the quotes). The number of lone surrogates, or nothing if
/// an escape is unknown or cut off.
std::optional<std::int64_t> check_escapes(std::string_view raw) noexcept;

/// Appends what `raw` means. Lone surrogates become U+FFFD. `raw` must have passed check_escapes().
void append_unescaped(std::string& out, std::string_view raw);

/// append_unescaped(raw) == text, without the copy for the ordinary case that they differ early.
bool equals_unescaped(std::string_view raw, std::string_view text) noexcept;

/// Appends the UTF-8 form of `code_point`; surrogates and values beyond U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code_point);

/// Takes the first character off valid UTF-8 text. `text` must not be empty.
char32_t take_utf8(std::string_view& text) noexcept;

/// UTF-8 of a text that begins with a UTF-16 byte-order mark; nothing for other texts.
std::optional<std::string> utf16_to_utf8(std::string_view bytes);

/// True if a byte below 0x20 stands in it.
bool has_control_characters(std::string_view text) noexcept;

/// `text`, or a copy in `scratch` without U+0000 (PostgreSQL refuses it). `text` may lie in `scratch`.
std::string_view without_nul(std::string_view text, std::string& scratch);

} // namespace tiktrend::sources
