#include <tiktrend/redis/info.hpp>

#include <fmt/format.h>

namespace tiktrend::redis {

std::string_view eviction_policy(std::string_view info) noexcept {
    constexpr std::string_view field = "maxmemory_policy:";
    const auto at = info.find(field);
    if (at == std::string_view::npos) return {};
    const auto value = info.substr(at + field.size());
    return value.substr(0, value.find_first_of("\r\n"));
}

task<std::optional<std::chrono::milliseconds>> clock_ahead(client& server, const wall_clock& clock) {
    const command ask{"TIME"};
    const auto before = clock.now_ms();
    const auto answer = co_await server.exec(ask);
    const auto after = clock.now_ms();
    if (answer.is_error()) co_return std::nullopt;
    const auto theirs = answer[0].integer() * 1000 + answer[1].integer() / 1000;
    co_return std::chrono::milliseconds{before + (after - before) / 2 - theirs};
}

std::string clock_problem(std::chrono::milliseconds ahead) {
    using namespace std::chrono_literals;
    if (std::chrono::abs(ahead) <= 5s) return {};
    return fmt::format(
        "this machine's clock is {:.0f} s {} that of Redis: delayed jobs and schedules come {}",
        std::chrono::duration<double>{std::chrono::abs(ahead)}.count(), ahead > 0ms ? "ahead of" : "behind",
        ahead > 0ms ? "early" : "late");
}

} // namespace tiktrend::redis
