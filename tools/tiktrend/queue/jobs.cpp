// tiktrend queue jobs, and the group `job` with its verb get.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/queue_getters.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

namespace json = boost::json;

struct list_options {
    std::string state = "failed";
    std::int64_t start = 0;
    std::int64_t limit = 20;
    bool oldest_first = false;
};

task<int> list_jobs(const queue_target& target, const list_options& options, queue::queue& q) {
    const auto state = state_named(options.state);
    queue::queue_getters getters{q};
    const auto found = co_await getters.jobs({state}, options.start, options.start + options.limit - 1,
                                             options.oldest_first);
    json::array rows;
    if (!target.as_json)
        fmt::print("{:<24} {:<20} {:<24} {:>8}  {}\n", "id", "name", "created", "attempts", "what");
    for (const auto& job : found) {
        if (target.as_json) {
            rows.push_back(to_json(job, state));
            continue;
        }
        const auto& what = !job.failed_reason.empty()  ? job.failed_reason
                           : !job.return_value.empty() ? job.return_value
                                                       : job.data;
        fmt::print("{:<24} {:<20} {:<24} {:>8}  {}\n", printable(job.id), printable(job.name, 20),
                   time_of(job.timestamp_ms), job.attempts_made, printable(what, 60));
    }
    if (target.as_json) print(rows);
    co_return exit_ok;
}

task<int> get_job(const queue_target& target, const std::string& id, queue::queue& q) {
    const auto found = co_await q.get_job_and_state(id);
    if (!found)
        throw std::runtime_error(fmt::format("there is no job \"{}\" in the queue \"{}\"", id, q.name()));
    const auto logs = co_await q.logs(id, -100, -1);
    auto o = to_json(found->first, found->second);
    json::array rows;
    for (const auto& row : logs.rows)
        rows.emplace_back(printable(row));
    o["logs"] = std::move(rows);
    if (target.as_json) {
        print(o);
        co_return exit_ok;
    }
    for (const auto& [name, value] : o) {
        const auto text = value.is_string() ? std::string{value.as_string()} : json::serialize(value);
        fmt::print("{:<16} {}\n", std::string_view{name}, printable(text, 4000));
    }
    co_return exit_ok;
}

} // namespace

void add_queue_jobs(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("jobs", "List the jobs of a state, newest first");
    auto target = add_target(*verb);
    auto options = std::make_shared<list_options>();
    verb->add_option("--state", options->state,
                     "waiting, active, completed, failed, delayed, prioritized or waiting-children")
        ->capture_default_str();
    verb->add_option("--start", options->start, "Position of the first one")
        ->check(CLI::Range(0, 1'000'000'000));
    verb->add_option("--limit", options->limit, "How many")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    verb->add_flag("--oldest-first", options->oldest_first, "The other order");
    verb->callback([&chosen, target, options] {
        chosen =
            on_queue(target, [target, options](queue::queue& q) { return list_jobs(*target, *options, q); });
    });

    auto* job = group.add_subcommand("job", "Look at one job or change it");
    job->require_subcommand(1);
    verb = job->add_subcommand("get", "Everything about a job, with the last 100 rows of its log");
    target = add_target(*verb);
    auto id = std::make_shared<std::string>();
    verb->add_option("id", *id, "Job")->required();
    verb->callback([&chosen, target, id] {
        chosen = on_queue(target, [target, id](queue::queue& q) { return get_job(*target, *id, q); });
    });
    add_queue_job_changes(*job, chosen);
}

} // namespace tiktrend::cli
