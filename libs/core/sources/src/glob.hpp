#pragma once
#include <string_view>

namespace tiktrend::sources {

/// True if all of `text` matches `glob`, where `*` stands for any run of bytes (also none) and everything
/// else for itself. Time is at most |text| × |glob|, without recursion.
bool matches_glob(std::string_view glob, std::string_view text, bool ignore_case = false) noexcept;

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;
std::string_view trim_blanks(std::string_view text) noexcept; ///< ASCII blanks and line ends

} // namespace tiktrend::sources
