// tiktrend queue pause, resume.
#include "show.hpp"
#include "target.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

task<int> set_paused(const queue_target& target, bool is_paused, queue::queue& q) {
    if (is_paused)
        co_await q.pause();
    else
        co_await q.resume();
    if (target.as_json)
        print(boost::json::object{{"queue", q.name()}, {"paused", is_paused}});
    else
        fmt::print("{} {}\n", is_paused ? "paused" : "resumed", printable(q.name()));
    co_return exit_ok;
}

void add(CLI::App& group, action& chosen, const char* name, const char* help, bool is_paused) {
    auto* verb = group.add_subcommand(name, help);
    auto target = add_target(*verb);
    verb->callback([&chosen, target, is_paused] {
        chosen = on_queue(target,
                          [target, is_paused](queue::queue& q) { return set_paused(*target, is_paused, q); });
    });
}

} // namespace

void add_queue_control(CLI::App& group, action& chosen) {
    add(group, chosen, "pause", "No worker starts a job any more; running ones end", true);
    add(group, chosen, "resume", "Workers start jobs again", false);
}

} // namespace tiktrend::cli
