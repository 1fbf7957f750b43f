#include "benches.hpp"

#include <cstdlib>
#include <stdexcept>

namespace tiktrend::bench {

std::string environment(const char* name) {
    const auto* value = std::getenv(name);
    if (!value) throw std::runtime_error(std::string{name} + " is not set; use tools/bench/run");
    return value;
}

} // namespace tiktrend::bench
