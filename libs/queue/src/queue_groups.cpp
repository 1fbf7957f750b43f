#include "group_keys.hpp"
#include "limits.hpp"
#include "options_check.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/queue_groups.hpp>

namespace tiktrend::queue {
namespace {

void check_group(const std::string& group) {
    if (const auto rule = broken_group_rule(group); !rule.empty())
        throw input_error(errc::invalid_argument, "group", quoted(group), std::string{rule});
}

void check_positive(const char* field, std::int64_t value) {
    if (value <= 0) throw input_error(errc::invalid_argument, field, std::to_string(value), "1 or more");
}

group_status status_from(std::string_view name) noexcept {
    for (const auto s :
         {group_status::waiting, group_status::limited, group_status::maxed, group_status::paused})
        if (to_string(s) == name) return s;
    return group_status::idle;
}

std::optional<std::int64_t> number(const redis::reply::view& v) {
    if (v.is_nil()) return {};
    return v.integer();
}

} // namespace

std::string_view to_string(group_status s) noexcept {
    switch (s) {
    case group_status::waiting:
        return "waiting";
    case group_status::limited:
        return "limited";
    case group_status::maxed:
        return "maxed";
    case group_status::paused:
        return "paused";
    case group_status::idle:
        break;
    }
    return "idle";
}

namespace {

task<bool> set_paused(queue& q, std::string group, const char* pause) {
    check_group(group);
    auto now = std::to_string(q.options().clock->now_ms());
    const auto reply = co_await run_script(q.client(), scripts::all().pause_group, q.key_base(),
                                           {std::move(now), std::move(group), pause});
    co_return reply.integer() == 1;
}

task<void> set(queue& q, std::vector<std::string> words) {
    co_await run_script(q.client(), scripts::all().set_group, q.key_base(), std::move(words));
}

} // namespace

task<bool> queue_groups::pause(std::string group) {
    return set_paused(*queue_, std::move(group), "1");
}

task<bool> queue_groups::resume(std::string group) {
    return set_paused(*queue_, std::move(group), "0");
}

task<void> queue_groups::set_concurrency(std::string group, std::optional<std::int64_t> concurrency) {
    check_group(group);
    if (concurrency) check_positive("concurrency", *concurrency);
    return set(*queue_, {std::move(group), "concurrency", concurrency ? std::to_string(*concurrency) : ""});
}

task<void> queue_groups::set_rate_limit(std::string group, std::int64_t max,
                                        std::chrono::milliseconds duration) {
    check_group(group);
    check_positive("max", max);
    check_positive("duration", duration.count());
    return set(*queue_,
               {std::move(group), "max", std::to_string(max), "duration", std::to_string(duration.count())});
}

task<void> queue_groups::remove_rate_limit(std::string group) {
    check_group(group);
    return set(*queue_, {std::move(group), "max", "", "duration", ""});
}

task<void> queue_groups::limit(std::string group, std::chrono::milliseconds duration) {
    check_group(group);
    check_positive("duration", duration.count());
    return limit_group(queue_->client(), queue_->key_base(), std::move(group), duration,
                       queue_->options().clock->now_ms());
}

task<group_details> queue_groups::group(std::string group) {
    check_group(group);
    const auto reply = co_await run_script(queue_->client(), scripts::all().read_group, queue_->key_base(),
                                           {std::move(group)});
    group_details d;
    d.status = status_from(reply[0].text());
    d.waiting = reply[1].integer();
    d.active = reply[2].integer();
    d.concurrency = number(reply[3]);
    d.limit_max = number(reply[4]);
    if (const auto ms = number(reply[5])) d.limit_duration = std::chrono::milliseconds{*ms};
    d.limited_for = std::chrono::milliseconds{reply[6].integer()};
    co_return d;
}

task<group_counts> queue_groups::counts() {
    const auto reply =
        co_await run_script(queue_->client(), scripts::all().read_groups, queue_->key_base(), {"", "0", "0"});
    const auto c = reply[0];
    co_return group_counts{c[0].integer(), c[1].integer(), c[2].integer(), c[3].integer(), c[4].integer()};
}

task<std::vector<group_summary>> queue_groups::groups(group_status status, std::int64_t start,
                                                      std::int64_t end) {
    const auto reply =
        co_await run_script(queue_->client(), scripts::all().read_groups, queue_->key_base(),
                            {std::string{to_string(status)}, std::to_string(start), std::to_string(end)});
    std::vector<group_summary> out;
    const auto list = reply[1];
    for (std::size_t i = 0; i + 2 < list.size(); i += 3)
        out.push_back({std::string{list[i].text()}, list[i + 1].integer(), list[i + 2].integer()});
    co_return out;
}

task<std::vector<std::string>> queue_groups::jobs(std::string group, std::int64_t start, std::int64_t end) {
    check_group(group);
    const redis::command c{"ZRANGE", group_wait_key(queue_->key_base(), group), start, end};
    const auto reply = co_await queue_->client().exec(c);
    if (reply.is_error())
        throw std::runtime_error("jobs of group " + group + ": " + std::string{reply.text()});
    std::vector<std::string> out;
    for (std::size_t i = 0; i < reply.size(); ++i)
        out.emplace_back(reply[i].text());
    co_return out;
}

task<std::vector<std::int64_t>> queue_groups::counts_per_priority(std::string group,
                                                                  std::vector<std::int32_t> priorities) {
    check_group(group);
    const auto key = group_wait_key(queue_->key_base(), group);
    std::vector<redis::command> commands;
    for (const auto p : priorities) {
        constexpr std::int64_t step = std::int64_t{1} << 32;
        commands.emplace_back("ZCOUNT", key, p * step, (p + 1) * step - 1);
    }
    const auto replies = co_await queue_->client().exec_all(commands);
    std::vector<std::int64_t> out;
    for (const auto& r : replies)
        out.push_back(r.integer());
    co_return out;
}

} // namespace tiktrend::queue
