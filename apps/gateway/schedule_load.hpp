#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::gateway {

/// How many jobs a schedule makes on its busiest day, at most `cap`. A cron pattern counts as if it were
/// meant for each day, so that one which is due every second of the first of January counts 86,400. 0 for a
/// pattern that is none.
std::int64_t runs_a_day(std::optional<std::chrono::milliseconds> every, std::string_view cron,
                        std::int64_t cap);

} // namespace tiktrend::gateway
