#pragma once
#include <string_view>

namespace tiktrend::sources {

/// True if all of `text` matches `glob`, where `*` stands for any run of bytes (also none) and everything
/// else for itself. Time is at most |text| × |glob|, without recursion.
bool matches_glob(std::string_view glob, std::string_view text, bool ignore_case = false) noexcept;

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Without ASCII blanks and line ends in front and behind.
inline std::string_view trim_blanks(std::string_view text) noexcept {
    const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

} // namespace tiktrend::sources
