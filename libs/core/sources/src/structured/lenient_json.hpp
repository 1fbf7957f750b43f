#pragma once
// JSON as pages write it: with comments, trailing commas, raw line breaks, in wrappers, or as a JavaScript
// literal.
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// `text` as strict JSON, as far as its mistakes are of the known kinds: HTML comment and CDATA wrappers,
/// blocks that are HTML-encoded as a whole, // and /* */ comments, trailing commas, control characters and
/// bad escapes in strings, strings in single quotes, keys without quotes, undefined, NaN, !0 and !1, a
/// semicolon at the end. What else is wrong stays wrong. Linear; at most six times the bytes.
std::string mend_json(std::string_view text);

/// The end of the JSON or JavaScript value that begins at `at` with a bracket or a quote: an offset behind
/// it, nothing if it does not end. Brackets in strings and comments do not count.
std::optional<std::size_t> end_of_value(std::string_view text, std::size_t at) noexcept;

/// What a script assigns to `name` ("window.__STATE__", "__STATE__") or gives to it ("dataLayer.push") as
/// JSON text: an object, a list, or the text in JSON.parse("…"). The first one that ends.
std::optional<std::string> assigned_json(std::string_view script, std::string_view name);

} // namespace tiktrend::sources
