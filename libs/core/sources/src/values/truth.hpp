#pragma once
#include "values/reject.hpp"

#include <string_view>

namespace tiktrend::sources {

/// true, false, yes, no, 1, 0, on, off in any case.
converted<bool> bool_from_text(std::string_view text);

/// Whether a thing can be bought and had now, from a schema.org ItemAvailability (URL or bare word) or a
/// short phrase in one of the larger languages of shops. PreOrder and BackOrder count as no.
converted<bool> availability_from_text(std::string_view text);

} // namespace tiktrend::sources
