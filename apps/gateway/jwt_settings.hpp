#pragma once
#include <tiktrend/access/jwt.hpp>

#include <chrono>
#include <string>

namespace tiktrend::gateway {

/// JWT_*: off unless there is a secret or a key set.
struct jwt_settings {
    access::jwt_rules rules;
    std::string jwks; ///< file or URL
    std::chrono::milliseconds jwks_refresh{300'000};
    std::chrono::milliseconds jwks_min_interval{30'000}; ///< between reads for unknown key ids
    std::string jwks_ca_file;
    bool is_on() const noexcept { return !rules.hs256_secret.empty() || !jwks.empty(); }
};

} // namespace tiktrend::gateway
