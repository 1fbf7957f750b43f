// tiktrend queue job retry, promote, rm.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/job_operations.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

void say(const queue_target& target, const std::string& id, std::string_view what) {
    if (target.as_json)
        print(boost::json::object{{"id", id}, {"done", what}});
    else
        fmt::print("{} {}\n", what, id);
}

task<queue::job_state> state_of(const std::string& id, queue::queue& q) {
    const auto found = co_await q.get_job_and_state(id);
    if (!found)
        throw std::runtime_error(fmt::format("there is no job \"{}\" in the queue \"{}\"", id, q.name()));
    co_return found->second;
}

task<int> retry(const queue_target& target, const std::string& id, bool resets, queue::queue& q) {
    queue::retry_options options;
    options.from = co_await state_of(id, q);
    options.reset_attempts_made = options.reset_attempts_started = resets;
    if (options.from != queue::job_state::failed && options.from != queue::job_state::completed)
        throw std::runtime_error(fmt::format(
            "the job {} is {}: only a failed or completed one can be retried", id, to_string(options.from)));
    queue::job_operations operations{q};
    co_await operations.retry(id, options);
    say(target, id, "retried");
    co_return exit_ok;
}

task<int> promote(const queue_target& target, const std::string& id, queue::queue& q) {
    const auto state = co_await state_of(id, q);
    if (state != queue::job_state::delayed)
        throw std::runtime_error(
            fmt::format("the job {} is {}: only a delayed one can be promoted", id, to_string(state)));
    co_await q.promote(id);
    say(target, id, "promoted");
    co_return exit_ok;
}

task<int> remove(const queue_target& target, const std::string& id, bool keeps_children, queue::queue& q) {
    queue::job_operations operations{q};
    if (!co_await operations.remove(id, !keeps_children))
        throw std::runtime_error(fmt::format("the job {} or one of its children is running", id));
    say(target, id, "removed");
    co_return exit_ok;
}

} // namespace

void add_queue_job_changes(CLI::App& job, action& chosen) {
    auto* verb = job.add_subcommand("retry", "A failed or completed job back to waiting");
    auto target = add_target(*verb);
    auto id = std::make_shared<std::string>();
    auto flag = std::make_shared<bool>(false);
    verb->add_option("id", *id, "Job")->required();
    verb->add_flag("--reset-attempts", *flag, "Count its attempts from the beginning");
    verb->callback([&chosen, target, id, flag] {
        chosen =
            on_queue(target, [target, id, flag](queue::queue& q) { return retry(*target, *id, *flag, q); });
    });

    verb = job.add_subcommand("promote", "A delayed job runs now");
    target = add_target(*verb);
    id = std::make_shared<std::string>();
    verb->add_option("id", *id, "Job")->required();
    verb->callback([&chosen, target, id] {
        chosen = on_queue(target, [target, id](queue::queue& q) { return promote(*target, *id, q); });
    });

    verb = job.add_subcommand("rm", "Remove a job that does not run, with its children");
    target = add_target(*verb, true);
    id = std::make_shared<std::string>();
    flag = std::make_shared<bool>(false);
    verb->add_option("id", *id, "Job")->required();
    verb->add_flag("--keep-children", *flag, "Leave its children");
    verb->callback([&chosen, target, id, flag] {
        chosen = on_queue_if_sure(target, "removing a job", [target, id, flag](queue::queue& q) {
            return remove(*target, *id, *flag, q);
        });
    });
}

} // namespace tiktrend::cli
