#include "client_list.hpp"
#include "queue_call.hpp"
#include "record.hpp"

#include <tiktrend/queue/queue_getters.hpp>

#include <algorithm>
#include <set>

namespace tiktrend::queue {
namespace {

constexpr std::size_t jobs_per_call = 100; ///< hashes in one reply: data may be large
constexpr std::size_t most_priorities = 5000;

void check_listed(const std::vector<job_state>& states) {
    for (const auto s : states)
        if (s == job_state::unknown)
            throw input_error(errc::invalid_argument, "state", "unknown",
                              "a state that jobs can be listed by");
}

std::int64_t count_of(const job_counts& all, job_state state) {
    switch (state) {
    case job_state::waiting:
        return all.waiting;
    case job_state::active:
        return all.active;
    case job_state::completed:
        return all.completed;
    case job_state::failed:
        return all.failed;
    case job_state::delayed:
        return all.delayed;
    case job_state::prioritized:
        return all.prioritized;
    case job_state::waiting_children:
        return all.waiting_children;
    case job_state::unknown:
        break;
    }
    return 0;
}

std::vector<job_state> every_state() {
    return {job_state::active,      job_state::completed, job_state::delayed,         job_state::failed,
            job_state::prioritized, job_state::waiting,   job_state::waiting_children};
}

task<std::vector<client_info>> clients(const queue& q, std::string exact, std::string prefix) {
    const redis::command list{"CLIENT", "LIST"};
    const auto replies = co_await q.client().exec_on_every_node(list);
    std::vector<client_info> out;
    for (const auto& reply : replies) {
        if (reply.is_error()) continue; // a service that does not tell
        auto found = read_client_list(reply.text(), exact, prefix);
        std::move(found.begin(), found.end(), std::back_inserter(out));
    }
    co_return out;
}

} // namespace

task<std::map<job_state, std::int64_t>> queue_getters::counts(std::vector<job_state> states) {
    check_listed(states);
    const auto all = co_await queue_->counts();
    std::map<job_state, std::int64_t> out;
    for (const auto s : states.empty() ? every_state() : states)
        out[s] = count_of(all, s);
    co_return out;
}

task<std::int64_t> queue_getters::count() {
    const auto all = co_await queue_->counts();
    co_return all.waiting + all.delayed + all.prioritized + all.waiting_children;
}

task<std::map<std::int32_t, std::int64_t>>
queue_getters::counts_per_priority(std::vector<std::int32_t> priorities) {
    std::sort(priorities.begin(), priorities.end());
    priorities.erase(std::unique(priorities.begin(), priorities.end()), priorities.end());
    for (const auto p : priorities)
        check_priority(p);
    std::map<std::int32_t, std::int64_t> out;
    for (std::size_t from = 0; from < priorities.size(); from += most_priorities) {
        std::vector<std::string> args;
        const auto end = std::min(priorities.size(), from + most_priorities);
        for (auto i = from; i < end; ++i)
            args.push_back(std::to_string(priorities[i]));
        const auto reply =
            co_await run_script_on(*queue_, scripts::all().counts_per_priority, std::move(args));
        for (auto i = from; i < end; ++i)
            out[priorities[i]] = reply[i - from].integer();
    }
    co_return out;
}

task<std::int64_t> queue_getters::delayed_count(std::optional<std::int64_t> before_ms) {
    const auto key = keys_of(*queue_).state(job_state::delayed);
    if (before_ms) check_number("before", *before_ms, 0, max_time_ms);
    const auto reply =
        before_ms ? co_await exec_on(*queue_, redis::command{"ZCOUNT", key, "-inf",
                                                             "(" + std::to_string(*before_ms * 4096)})
                  : co_await exec_on(*queue_, redis::command{"ZCARD", key});
    co_return reply.integer();
}

task<std::vector<job_record>> queue_getters::jobs(std::vector<job_state> states, std::int64_t start,
                                                  std::int64_t end, bool ascending) {
    if (states.empty()) states = every_state();
    check_listed(states);
    options_reader options;
    json_checker json;
    std::vector<job_record> out;
    std::set<std::string, std::less<>> seen; // a job that moves meanwhile may show twice
    job_counts all;
    if (start < 0 || end < 0) all = co_await queue_->counts();
    for (const auto state : states) {
        const auto total = count_of(all, state);
        const auto first = start < 0 ? std::max<std::int64_t>(total + start, 0) : start;
        const auto last = end < 0 ? total + end : end;
        auto position = first;
        auto left = last - first + 1;
        while (position >= 0 && left > 0) {
            const auto wanted = std::min<std::int64_t>(left, jobs_per_call);
            const auto reply =
                co_await run_script_on(*queue_, scripts::all().list_jobs,
                                       {std::string{to_string(state)}, std::to_string(position),
                                        std::to_string(wanted), ascending ? "1" : "0"});
            position = reply[0].integer();
            for (std::size_t i = 1; i + 1 < reply.size(); i += 2) {
                --left;
                const auto id = reply[i].text();
                if (!seen.emplace(id).second) continue;
                out.push_back(read_record(id, reply[i + 1], reply[i + 1].size(), options, json));
            }
        }
    }
    co_return out;
}

task<job_logs> queue_getters::logs(std::string id, std::int64_t start, std::int64_t end, bool ascending) {
    if (ascending) co_return co_await queue_->logs(std::move(id), start, end);
    auto page = co_await queue_->logs(std::move(id), -(end + 1), -(start + 1));
    std::reverse(page.rows.begin(), page.rows.end());
    co_return page;
}

task<std::vector<client_info>> queue_getters::workers() {
    const auto keys = keys_of(*queue_);
    return clients(*queue_, keys.worker_connection(""), keys.worker_connection("") + ":w:");
}

task<std::size_t> queue_getters::workers_count() {
    const auto found = co_await workers();
    co_return found.size();
}

task<std::vector<client_info>> queue_getters::event_listeners() {
    return clients(*queue_, keys_of(*queue_).events_connection(), "");
}

task<std::optional<std::string>> queue_getters::deduplication_job_id(std::string deduplication_id) {
    check_text("deduplication id", deduplication_id);
    const auto reply =
        co_await exec_on(*queue_, redis::command{"GET", keys_of(*queue_).deduplication(deduplication_id)});
    if (reply.is_nil()) co_return std::nullopt;
    co_return std::string{reply.text()};
}

} // namespace tiktrend::queue
