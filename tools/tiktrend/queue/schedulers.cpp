// tiktrend queue schedulers: the job schedulers of a queue and when they make their next job.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/job_scheduler.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t per_page = 1000;

std::string rule_of(const queue::scheduler_record& s) {
    if (s.every_ms) return fmt::format("every {} ms", *s.every_ms);
    return s.tz.empty() ? s.pattern : s.pattern + " " + s.tz;
}

json::object to_json(const queue::scheduler_record& s) {
    json::object o{{"id", s.id}, {"name", s.name}, {"next", s.next_ms}};
    const auto number = [&o](const char* name, const std::optional<std::int64_t>& value) {
        if (value) o[name] = *value;
    };
    number("every", s.every_ms);
    if (!s.pattern.empty()) o["pattern"] = s.pattern;
    if (!s.tz.empty()) o["tz"] = s.tz;
    number("limit", s.limit);
    number("startDate", s.start_ms);
    number("endDate", s.end_ms);
    number("offset", s.offset_ms);
    o["iterationCount"] = s.iteration_count;
    o["data"] = json_or_text(s.data);
    o["opts"] = json_or_text(s.opts);
    if (s.is_legacy) o["legacy"] = true;
    return o;
}

task<int> list_schedulers(const queue_target& target, queue::queue& q) {
    queue::job_schedulers schedulers{q};
    json::array rows;
    if (!target.as_json) fmt::print("{:<24} {:<20} {:<24} {:>9}  {}\n", "id", "name", "next", "made", "rule");
    for (std::int64_t start = 0;; start += per_page) {
        const auto page = co_await schedulers.list(start, start + per_page - 1, true);
        for (const auto& s : page) {
            if (target.as_json)
                rows.push_back(to_json(s));
            else
                fmt::print("{:<24} {:<20} {:<24} {:>9}  {}\n", printable(s.id), printable(s.name, 20),
                           time_of(s.next_ms), s.iteration_count, printable(rule_of(s)));
        }
        const auto all = co_await schedulers.count();
        if (start + per_page >= all) break;
    }
    if (target.as_json) print(rows);
    co_return exit_ok;
}

} // namespace

void add_queue_schedulers(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("schedulers", "Job schedulers and when they make their next job");
    auto target = add_target(*verb);
    verb->callback([&chosen, target] {
        chosen = on_queue(target, [target](queue::queue& q) { return list_schedulers(*target, q); });
    });
}

} // namespace tiktrend::cli
