#pragma once
#include <chrono>
#include <cstddef>
#include <string>

namespace tiktrend::gateway {

/// COPY_*: the OpenAI-compatible endpoint that writes marketing copy.
struct copy_settings {
    std::string base_url; ///< e.g. "https://api.openai.com/v1"; empty: POST /copy answers 503 and says so
    std::string model;
    std::string api_key; ///< empty: no Authorization
    std::string ca_file;
    std::chrono::milliseconds timeout{2500}; ///< one copy, all its attempts together
    std::chrono::milliseconds stream_timeout{
        9000};                 ///< a streamed one to its end; `timeout` is to its first word
    int attempts = 2;          ///< tries of one copy, while the time and the budget last
    double retry_budget = 0.2; ///< retries per first try, on the average
    int breaker_failures = 5;  ///< failures in a row that open the circuit
    std::chrono::milliseconds breaker_pause{10'000}; ///< open for this long, doubling up to six times it
    std::chrono::milliseconds ttl{std::chrono::hours{24}};
    int max_tokens = 600;
    std::size_t max_concurrent = 32; ///< calls at once of one thread

    bool is_on() const noexcept { return !base_url.empty(); }
};

} // namespace tiktrend::gateway
