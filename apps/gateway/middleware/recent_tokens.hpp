#pragma once
#include "middleware/authenticate.hpp"

#include <chrono>
#include <string_view>
#include <unordered_map>

namespace tiktrend::gateway {

/// Tokens that were good lately. They may be looked up again whoever else fails behind the same address, so
/// that a single machine with a wrong key locks nobody out of an office or a balancer. Whether a token is
/// still good this does not say. Owned by one executor.
class recent_tokens {
public:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::hours life{12};
    static constexpr std::size_t most = 10'000; ///< all are forgotten when there are more

    void add(std::string_view token, clock::time_point now = clock::now());
    void remove(std::string_view token);
    bool contains(std::string_view token, clock::time_point now = clock::now()) const;

private:
    std::unordered_map<key_digest, clock::time_point, digest_hash> until_; ///< no token stays in memory
};

} // namespace tiktrend::gateway
