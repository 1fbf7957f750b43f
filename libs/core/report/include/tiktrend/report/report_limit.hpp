#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace tiktrend::report {

/// Decides which reports are sent: the same kind at most once per `same_every`, `per_minute` in all, and none
/// while the server has asked for silence. Bounded: at most 200 kinds are remembered. Time comes in.
class report_limit {
public:
    using time = std::chrono::steady_clock::time_point;

    explicit report_limit(std::size_t per_minute = 30,
                          std::chrono::seconds same_every = std::chrono::minutes{1})
        : per_minute_{per_minute}, same_every_{same_every} {}

    struct verdict {
        bool is_sent = false;
        std::uint64_t suppressed = 0; ///< of this kind since the last one that was sent
    };
    verdict decide(const std::string& kind, time now);
    /// The server's Retry-After.
    void silence_until(time t) noexcept { silent_until_ = t; }

private:
    struct entry {
        time last;
        std::uint64_t suppressed = 0;
    };
    std::size_t per_minute_;
    std::chrono::seconds same_every_;
    std::map<std::string, entry> kinds_;
    time window_ = time::min();
    std::size_t in_window_ = 0;
    time silent_until_ = time::min();
};

} // namespace tiktrend::report
