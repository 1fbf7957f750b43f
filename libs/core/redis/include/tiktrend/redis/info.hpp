#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::redis {

/// maxmemory-policy in the text of INFO memory, a part of that text; empty if it is not there. (CONFIG GET is
/// refused by managed servers, INFO is not.)
std::string_view eviction_policy(std::string_view info) noexcept;

/// How far `clock` is ahead of the server's (TIME, against the middle of the round trip); nothing if the
/// server refuses to say. Throws as client::exec() does.
task<std::optional<std::chrono::milliseconds>> clock_ahead(client& server, const wall_clock& clock);

/// A sentence if clocks that differ so much do harm: delayed jobs and schedules come early or late by as
/// much. Empty up to five seconds.
std::string clock_problem(std::chrono::milliseconds ahead);

} // namespace tiktrend::redis
