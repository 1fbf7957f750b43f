#include "activity.hpp"

#include <tiktrend/base/timeout.hpp>

#include <vector>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t minute_ms = 60'000;

// HyperLogLog, one a minute; expires by itself.
std::string minute_key(std::int64_t minute) {
    return "activity:seen:" + std::to_string(minute);
}

} // namespace

task<std::optional<std::int64_t>> activity::exchange() {
    const auto now = clock_.now_ms();
    const auto minute = now / minute_ms;
    const auto seen = std::move(seen_);
    seen_.clear();

    std::vector<redis::command> commands;
    redis::command add{"PFADD", minute_key(minute)};
    for (const auto& id : seen)
        add.arg(id);
    commands.push_back(std::move(add));
    commands.emplace_back("EXPIRE", minute_key(minute), 10 * 60);
    redis::command count{"PFCOUNT"};
    for (std::int64_t m = minute - 4; m <= minute; ++m)
        count.arg(minute_key(m));
    commands.push_back(std::move(count));
    try {
        const auto replies = co_await within(1s, redis_.exec_all(commands));
        if (!replies.at(0).is_error() && !replies.at(2).is_error()) co_return replies[2].integer();
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
    }
    seen_.insert(seen.begin(), seen.end());
    co_return std::nullopt;
}

} // namespace tiktrend::gateway
