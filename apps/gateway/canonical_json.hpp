#pragma once
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// One text for all JSON texts that mean the same: no blanks, members by name (as RFC 8785 without its rules
/// for numbers: 1 and 1.0 stay different, which errs on the careful side). Text that is not JSON comes back
/// as it is.
std::string canonical_json(std::string_view text);

} // namespace tiktrend::gateway
