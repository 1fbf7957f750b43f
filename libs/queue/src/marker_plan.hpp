#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>

namespace tiktrend::queue {

/// A score as Redis writes it. It may have a fraction, which is dropped.
std::int64_t whole_milliseconds(std::string_view score) noexcept;

/// When an idle worker looks for jobs again: the decisions of the marker protocol (layout of BullMQ,
/// "marker"), without I/O. The marker is a zset with at most two members: "0" (there may be a job) and "1"
/// (its score is when the next delayed job is due, in ms). A worker blocks on it, but never longer than its
/// drain delay, so that a lost marker only costs time.
class marker_plan {
public:
    /// Redis before 7.0.8 takes a timeout of 1 ms for none at all.
    static constexpr std::chrono::milliseconds shortest_block{2};
    static constexpr std::chrono::milliseconds longest_block{10'000};

    /// next_delayed_ms: as the last fetch said; 0: none is known.
    marker_plan(std::chrono::milliseconds drain_delay, std::int64_t next_delayed_ms);

    /// How long to block now, shortest_block or more; 0: do not block, fetch.
    std::chrono::milliseconds block_for(std::int64_t now_ms) const noexcept;

    /// A marker was popped. True: fetch; false: block again, with what the marker told taken into account.
    bool popped(std::string_view member, std::int64_t score_ms, std::int64_t now_ms) noexcept;

private:
    std::chrono::milliseconds drain_delay_;
    std::int64_t next_delayed_ms_;
};

} // namespace tiktrend::queue
