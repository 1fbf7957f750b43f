#pragma once
#include <chrono>
#include <string>

namespace tiktrend::gateway {

/// Which part of several regions a gateway plays.
struct region_settings {
    std::string name = "main"; ///< lower-case letters, digits, '-': in Via and in the health answer
    bool is_replica = false;   ///< reads are answered here, everything else by the primary region's gateway
    std::string primary_url;   ///< its address; required of a replica
    std::string ca_file;       ///< PEM of certificates to trust for it; empty: the system's
    std::chrono::milliseconds timeout{20'000}; ///< until the primary's answer begins
};

} // namespace tiktrend::gateway
