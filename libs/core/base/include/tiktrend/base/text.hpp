#pragma once
#include <string_view>

namespace tiktrend {

/// Without the blanks and tabs at both ends: what HTTP calls optional whitespace (RFC 9110 section 5.6.3).
constexpr std::string_view trim(std::string_view s) noexcept {
    constexpr auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!s.empty() && is_blank(s.front()))
        s.remove_prefix(1);
    while (!s.empty() && is_blank(s.back()))
        s.remove_suffix(1);
    return s;
}

} // namespace tiktrend
