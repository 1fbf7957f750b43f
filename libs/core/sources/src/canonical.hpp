#pragma once
#include "plan.hpp"

#include <optional>
#include <string_view>

namespace tiktrend::sources {

struct canonical_field {
    std::string_view name; ///< lives for ever
    field_type type;       ///< what it is when the definition does not say
};

/// Null for names that are not canonical.
const canonical_field* find_canonical(std::string_view name) noexcept;

/// True if a field of this type may carry that canonical name.
bool fits(const canonical_field& name, field_type type) noexcept;

} // namespace tiktrend::sources
