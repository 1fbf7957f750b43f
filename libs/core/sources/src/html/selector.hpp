#pragma once
// Where in a page: a CSS selector (translated to XPath) or an XPath expression, compiled and checked when the
// definition is read.
#include <tiktrend/base/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::sources {

struct selector {
    enum class part : std::uint8_t { text, attribute };

    selector() =
        default; // no aggregate: result<selector, std::string> tells its two by what they are made from

    std::string written; ///< as in the file, for messages
    std::string xpath;
    part wants = part::text; ///< what counts of a match
    std::string attribute;   ///< with part::attribute
};

inline constexpr std::size_t max_selector_bytes = 1000;

/// Or what is wrong with it in one line.
///
/// CSS: type, *, #id, .class, [a], [a=v] and ~= |= ^= $= *= (with i), the combinators, lists, :first-child,
/// :last-child, :only-child, :nth-child(), :nth-last-child(), :nth-of-type(), :first-of-type, :last-of-type,
/// :only-of-type, :empty, :root, :scope, :not(), :is(), :has(), :contains("text"); at the end ::text or
/// ::attr(name). Everything but :scope is looked for below the row.
result<selector, std::string> compile_css(std::string_view text);

/// XPath 1.0. Functions other than its core library (document(), unparsed-entity-uri(), extensions) and
/// variables are refused.
result<selector, std::string> compile_xpath(std::string_view text);

/// css_to_xpath.cpp: the expression, relative to the context node; nothing after setting `problem`.
std::optional<std::string> css_to_xpath(std::string_view css, std::string& problem);

/// `text` as a literal of XPath 1.0, which has no escapes.
std::string xpath_literal(std::string_view text);

} // namespace tiktrend::sources
