#pragma once
#include <stdexcept>

namespace tiktrend::cli {

/// What the user asked for or configured cannot be meant; the message is shown as it is and the program ends
/// with exit_usage.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace tiktrend::cli
