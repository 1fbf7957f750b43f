// tiktrend queue retry-failed, clean, drain.
#include "../usage_error.hpp"
#include "progress_bar.hpp"
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/queue_admin.hpp>
#include <tiktrend/queue/queue_getters.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

void say(const queue_target& target, std::string_view what, std::size_t jobs) {
    if (target.as_json)
        print(boost::json::object{{"queue", target.name}, {std::string{what}, jobs}});
    else
        fmt::print("{} {} jobs\n", what, jobs);
}

/// Draws on `bar`, which must outlive the hook.
queue::progress_hook hook_for(progress_bar& bar) {
    return [&bar](std::size_t done) { bar.show(done); };
}

task<std::size_t> count_in(queue::job_state state, queue::queue& q) {
    queue::queue_getters getters{q};
    const auto counts = co_await getters.counts({state});
    co_return static_cast<std::size_t>(counts.at(state));
}

task<int> retry_failed(const queue_target& target, queue::queue& q) {
    std::size_t moved = 0;
    {
        progress_bar bar{co_await count_in(queue::job_state::failed, q), !target.as_json};
        queue::queue_admin admin{q};
        queue::retry_all_options options;
        options.on_progress = hook_for(bar);
        moved = co_await admin.retry_all(options);
    }
    say(target, "retried", moved);
    co_return exit_ok;
}

struct clean_options {
    std::string state = "completed";
    std::int64_t grace_s = 0;
    std::size_t limit = 0;
};

task<int> clean(const queue_target& target, const clean_options& options, queue::queue& q) {
    const auto state = state_named(options.state);
    if (state == queue::job_state::waiting_children)
        throw usage_error("--state=\"waiting-children\": jobs that wait for children cannot be cleaned");
    std::size_t removed = 0;
    {
        auto total = co_await count_in(state, q);
        if (options.limit > 0) total = std::min(total, options.limit);
        progress_bar bar{total, !target.as_json};
        queue::queue_admin admin{q};
        const auto ids =
            co_await admin.clean(std::chrono::seconds{options.grace_s}, options.limit, state, hook_for(bar));
        removed = ids.size();
    }
    say(target, "removed", removed);
    co_return exit_ok;
}

task<int> drain(const queue_target& target, bool delayed, queue::queue& q) {
    std::size_t removed = 0;
    {
        const auto counts = co_await q.counts();
        const auto total = counts.waiting + counts.prioritized + (delayed ? counts.delayed : 0);
        progress_bar bar{static_cast<std::size_t>(total), !target.as_json};
        queue::queue_admin admin{q};
        removed = co_await admin.drain(delayed, hook_for(bar));
    }
    say(target, "removed", removed);
    co_return exit_ok;
}

} // namespace

void add_queue_bulk(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("retry-failed", "All failed jobs back to waiting");
    auto target = add_target(*verb);
    verb->callback([&chosen, target] {
        chosen = on_queue(target, [target](queue::queue& q) { return retry_failed(*target, q); });
    });

    verb = group.add_subcommand("clean", "Remove the jobs of a state that are old enough");
    target = add_target(*verb, true);
    auto options = std::make_shared<clean_options>();
    verb->add_option("--state", options->state,
                     "completed, failed, waiting, active (without a lock), delayed or "
                     "prioritized")
        ->capture_default_str();
    verb->add_option("--grace", options->grace_s, "Age in seconds from which a job is removed")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{315'360'000}))
        ->capture_default_str();
    verb->add_option("--limit", options->limit, "At most so many; 0: all")->capture_default_str();
    verb->callback([&chosen, target, options] {
        chosen = on_queue_if_sure(target, "cleaning",
                                  [target, options](queue::queue& q) { return clean(*target, *options, q); });
    });

    verb = group.add_subcommand("drain", "Remove all jobs that wait");
    target = add_target(*verb, true);
    auto delayed = std::make_shared<bool>(false);
    verb->add_flag("--delayed", *delayed, "Delayed ones too");
    verb->callback([&chosen, target, delayed] {
        chosen = on_queue_if_sure(target, "draining",
                                  [target, delayed](queue::queue& q) { return drain(*target, *delayed, q); });
    });
}

} // namespace tiktrend::cli
