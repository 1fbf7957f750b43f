#pragma once
#include <optional>
#include <string>

namespace tiktrend::testing {

/// A file of ../shared/samples, which lies beside the repository and not in it. Nothing where it is absent:
/// the test then says that it skips.
std::optional<std::string> sample(const std::string& name);

} // namespace tiktrend::testing
