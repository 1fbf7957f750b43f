#pragma once
#include <string_view>

namespace tiktrend::sources {

/// The character that "&name;" stands for, or 0 for unknown names.
char32_t html_entity(std::string_view name) noexcept;

} // namespace tiktrend::sources
