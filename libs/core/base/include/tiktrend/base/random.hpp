#pragma once
#include <cstdint>
#include <random>
#include <string>

namespace tiktrend {

/// Source of randomness, injected (jitter, ids of tests). Not for secrets: those use random_bytes().
class random_source {
public:
    virtual ~random_source() = default;
    /// Uniform in [0, 1).
    virtual double next() = 0;
};

/// Seeded from the system; one per owner, not thread-safe.
class default_random final : public random_source {
public:
    default_random();
    explicit default_random(std::uint64_t seed) : engine_{seed} {}
    double next() override;

private:
    std::mt19937_64 engine_;
};

/// `n` bytes fit for secrets (OpenSSL RAND_bytes). Throws std::runtime_error if the system has none.
/// Thread-safe.
std::string random_bytes(std::size_t n);

} // namespace tiktrend
