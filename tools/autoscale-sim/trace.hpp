#pragma once
#include "hpa.hpp"

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace tiktrend::autoscale {

/// What happens to the fleet, as a text of one line each (`#` starts a comment):
///
///     seed 7                  randomness of arrivals and of job lengths
///     length 1h               end of the simulation
///     job 20s 50%             mean length of a job, and its spread
///     start 40s               from a decision to a worker that takes jobs: scheduling, image, start
///     stale 15s               age of the depth that the autoscaler sees
///     day 24h 5/s 0.5/s       arrivals follow a day's curve between these rates, highest in the middle
///     at 0s rate 2/s          arrivals at random at this rate, from here on (ends `day`)
///     at 10m burst 500        as many at once
///     at 12m lose 4           that many workers get a spot notice
///     at 15m blind 5m         the metric is missing for so long
///     at 20m slow 3m          workers that are asked for from here on take this long to start
struct trace {
    enum class kind { rate, burst, lose, blind, slow };
    struct event {
        moment at;
        kind what;
        double value; ///< per second, a number, or seconds
    };

    std::uint64_t seed = 1;
    moment length{3600};
    moment job_mean{20};
    double job_spread = 0.5; ///< of the mean, 0 to 1: uniform between
    moment start_delay{40};
    moment stale{15};
    moment day{0}; ///< 0: no day curve
    double day_high = 0, day_low = 0;
    std::vector<event> events; ///< in order of time
};

/// Throws std::runtime_error that names the line, what it says and what is expected.
trace read_trace(std::istream& in);

/// 10s, 250ms, 5m, 2h. Throws std::runtime_error.
moment parse_duration(const std::string& text);

} // namespace tiktrend::autoscale
