#pragma once
#include <string_view>

namespace tiktrend::sources {

/// True for 8, 12, 13 or 14 digits with a right check digit (GS1 General Specifications, section 7.9).
bool is_gtin(std::string_view text) noexcept;

} // namespace tiktrend::sources
