#include "job_id.hpp"
#include "queue_call.hpp"

#include <tiktrend/queue/queue_admin.hpp>

#include <algorithm>
#include <set>

namespace tiktrend::queue {
namespace {

constexpr std::int64_t jobs_per_call = 1000; ///< keeps a call to some milliseconds of Redis
constexpr std::int32_t most_per_call = 10'000;

void tell(const progress_hook& hook, std::size_t handled) {
    if (hook) hook(handled);
}

/// Names under the queue's base that match `pattern` (a Redis glob without the base), in pages, without it.
class key_scan {
public:
    key_scan(const queue& q, std::string_view pattern, std::int64_t count)
        : queue_{q}, pattern_{escaped(q.key_base()) + std::string{pattern}}, count_{count} {}

    /// Empty pages come in between; false: the end, and nothing was read.
    task<bool> next(std::set<std::string>& names) {
        if (is_done_) co_return false;
        const auto reply = co_await run_script_on(queue_, scripts::all().scan_keys,
                                                  {cursor_, pattern_, std::to_string(count_)});
        cursor_ = reply[0].text();
        is_done_ = cursor_ == "0";
        const auto keys = reply[1];
        for (std::size_t i = 0; i < keys.size(); ++i)
            names.emplace(keys[i].text().substr(queue_.key_base().size()));
        co_return true;
    }

private:
    static std::string escaped(std::string_view text) {
        std::string out;
        for (const char c : text) {
            if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') out += '\\';
            out += c;
        }
        return out;
    }
    const queue& queue_;
    std::string pattern_, cursor_ = "0";
    std::int64_t count_;
    bool is_done_ = false;
};

/// Runs `script` on the names, a thousand at a time, and empties them.
task<std::size_t> run_on_names(const queue& q, const redis::script& script, std::set<std::string>& names,
                               std::size_t limit) {
    std::size_t done = 0;
    auto at = names.begin();
    while (at != names.end() && done < limit) {
        std::vector<std::string> args;
        const auto most = std::min<std::size_t>(jobs_per_call, limit - done);
        for (; at != names.end() && args.size() < most; ++at)
            args.push_back(*at);
        const auto reply = co_await run_script_on(q, script, std::move(args));
        done += static_cast<std::size_t>(reply.integer());
    }
    names.clear();
    co_return done;
}

/// Deduplication ids whose owner is gone: evicted jobs leave theirs.
task<void> free_stale_deduplication_ids(const queue& q) {
    for (const std::string_view prefix : {"de:", "dn:"}) {
        key_scan scan{q, std::string{prefix} + "*", jobs_per_call};
        std::set<std::string> names, ids;
        while (co_await scan.next(names)) {
            for (const auto& name : names)
                ids.insert(name.substr(prefix.size()));
            names.clear();
            co_await run_on_names(q, scripts::all().remove_stale_deduplication, ids,
                                  std::numeric_limits<std::size_t>::max());
        }
    }
}

/// Settings, windows and members of groups (ours alone; lua/includes/groups.lua) once no job is left.
task<void> remove_group_keys(const queue& q) {
    key_scan scan{q, "group:*", jobs_per_call};
    std::set<std::string> names;
    while (co_await scan.next(names)) {
        if (names.empty()) continue;
        redis::command unlink{"UNLINK"};
        for (const auto& name : names)
            unlink.arg(q.key_base() + name);
        co_await exec_on(q, std::move(unlink));
        names.clear();
    }
}

std::string place_of(job_state state) {
    switch (state) {
    case job_state::waiting:
        return "wait";
    case job_state::waiting_children:
    case job_state::unknown:
        throw input_error(errc::invalid_argument, "state", std::string{to_string(state)},
                          "completed, failed, waiting, active, delayed or prioritized");
    default:
        return std::string{to_string(state)};
    }
}

} // namespace

task<std::size_t> queue_admin::drain(bool delayed, progress_hook on_progress) {
    const auto now = std::to_string(queue_->options().clock->now_ms());
    std::size_t removed = 0;
    for (;;) {
        const auto reply = co_await run_script_on(*queue_, scripts::all().drain,
                                                  {now, std::to_string(jobs_per_call), delayed ? "1" : "0"});
        removed += static_cast<std::size_t>(reply.integer());
        tell(on_progress, removed);
        if (reply.integer() < jobs_per_call) co_return removed;
    }
}

task<std::vector<std::string>> queue_admin::clean(std::chrono::milliseconds grace, std::size_t limit,
                                                  job_state state, progress_hook on_progress) {
    check_delay("grace", grace);
    std::vector<std::string> places{place_of(state)};
    // Where version 5 keeps them, and where jobs of groups are.
    if (state == job_state::waiting) places.insert(places.end(), {"paused", "groups"});
    const auto now = queue_->options().clock->now_ms();
    const auto most = limit == 0 ? std::numeric_limits<std::size_t>::max() : limit;
    std::vector<std::string> removed;
    for (const auto& place : places) {
        if (place == "paused" || place == "groups") {
            const auto key = queue_->key_base() + (place == "groups" ? "groups:waiting" : "paused");
            const auto exists = co_await exec_on(*queue_, redis::command{"EXISTS", key});
            if (exists.integer() == 0) continue;
        }
        std::int64_t position = 0;
        while (position >= 0 && removed.size() < most) {
            const auto per_call = std::min<std::size_t>(jobs_per_call, most - removed.size());
            const auto reply =
                co_await run_script_on(*queue_, scripts::all().clean,
                                       {std::to_string(now), place, std::to_string(now - grace.count()),
                                        std::to_string(per_call), std::to_string(position)});
            position = reply[0].integer();
            for (std::size_t i = 1; i < reply.size(); ++i)
                removed.emplace_back(reply[i].text());
            tell(on_progress, removed.size());
        }
    }
    co_return removed;
}

task<std::size_t> queue_admin::obliterate(obliterate_options options) {
    check_number("count", options.count, 1, most_per_call);
    co_await queue_->pause();
    const auto now = std::to_string(queue_->options().clock->now_ms());
    std::size_t removed = 0;
    const auto round = [&](bool is_last) {
        return run_script_on(
            *queue_, scripts::all().obliterate,
            {now, options.force ? "1" : "0", std::to_string(options.count), is_last ? "1" : "0"});
    };
    for (bool is_last = false;;) {
        const auto reply = co_await round(is_last);
        const auto n = reply.integer();
        if (n == -1) throw system_error(errc::job_not_in_state, "obliterate: somebody resumed the queue");
        if (n == -2) throw system_error(errc::queue_is_active, "obliterate");
        removed += static_cast<std::size_t>(n);
        tell(options.on_progress, removed);
        if (n > 0) continue;
        if (is_last) co_return removed;
        // No job is left in any state: what others lost track of, before the queue's own keys go.
        removed += co_await remove_orphaned_jobs();
        co_await free_stale_deduplication_ids(*queue_);
        co_await remove_group_keys(*queue_);
        is_last = true;
    }
}

task<std::size_t> queue_admin::retry_all(retry_all_options options) {
    check_finished("state", options.state);
    check_number("count", options.count, 1, most_per_call);
    const auto until = options.finished_until_ms.value_or(queue_->options().clock->now_ms());
    std::size_t moved = 0;
    for (;;) {
        const auto reply = co_await run_script_on(
            *queue_, scripts::all().retry_many,
            {std::string{to_string(options.state)}, std::to_string(options.count), std::to_string(until)});
        moved += static_cast<std::size_t>(reply.integer());
        tell(options.on_progress, moved);
        if (reply.integer() < options.count) co_return moved;
    }
}

task<std::size_t> queue_admin::promote_all(std::int32_t count, progress_hook on_progress) {
    check_number("count", count, 1, most_per_call);
    // Not more than there are now: with jobs that come in as fast as others leave, this would never end.
    const auto there =
        co_await exec_on(*queue_, redis::command{"ZCARD", keys_of(*queue_).state(job_state::delayed)});
    auto left = there.integer();
    std::size_t moved = 0;
    while (left > 0) {
        const auto wanted = std::min<std::int64_t>(count, left);
        const auto reply =
            co_await run_script_on(*queue_, scripts::all().promote_many, {std::to_string(wanted)});
        moved += static_cast<std::size_t>(reply.integer());
        left -= wanted;
        tell(on_progress, moved);
        if (reply.integer() < wanted) break;
    }
    co_return moved;
}

task<std::int64_t> queue_admin::trim_events(std::int64_t length) {
    check_number("length", length, 0, 1'000'000'000);
    const auto reply =
        co_await exec_on(*queue_, redis::command{"XTRIM", keys_of(*queue_).events(), "MAXLEN", "~", length});
    co_return reply.integer();
}

task<std::size_t> queue_admin::remove_orphaned_jobs(std::int32_t count, std::size_t limit) {
    check_number("count", count, 1, most_per_call);
    const auto most = limit == 0 ? std::numeric_limits<std::size_t>::max() : limit;
    key_scan scan{*queue_, "*", count};
    std::size_t removed = 0;
    std::set<std::string> names, candidates;
    bool more = true;
    while (more && removed < most) {
        more = co_await scan.next(names);
        for (const auto& name : names)
            if (is_possible_job_id(name)) candidates.insert(name);
        names.clear();
        // Asked together: a call may have to read the waiting list once.
        if (!more || candidates.size() >= static_cast<std::size_t>(jobs_per_call))
            removed +=
                co_await run_on_names(*queue_, scripts::all().remove_orphans, candidates, most - removed);
    }
    co_return removed;
}

task<bool> queue_admin::remove_deprecated_priority_key() {
    const auto reply = co_await exec_on(*queue_, redis::command{"DEL", queue_->key_base() + "priority"});
    co_return reply.integer() == 1;
}

task<bool> queue_admin::remove_deduplication_key(std::string deduplication_id) {
    check_text("deduplication id", deduplication_id);
    const auto reply =
        co_await exec_on(*queue_, redis::command{"DEL", keys_of(*queue_).deduplication(deduplication_id)});
    co_return reply.integer() == 1;
}

} // namespace tiktrend::queue
