// tiktrend queue stats, ls, workers.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/queue_getters.hpp>
#include <tiktrend/queue/queue_settings.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <set>

namespace tiktrend::cli {
namespace {

namespace json = boost::json;

json::object to_json(const queue::job_counts& c) {
    return {{"waiting", c.waiting},
            {"active", c.active},
            {"delayed", c.delayed},
            {"completed", c.completed},
            {"failed", c.failed},
            {"prioritized", c.prioritized},
            {"waiting-children", c.waiting_children}};
}

task<int> stats(const queue_target& target, queue::queue& q) {
    const auto depth = co_await q.depth();
    queue::queue_settings settings{q};
    queue::queue_getters getters{q};
    const auto meta = co_await settings.meta();
    const auto limited = co_await settings.rate_limit_ttl();
    const auto workers = co_await getters.workers_count();
    json::object o{{"queue", q.name()}, {"prefix", target.prefix}, {"paused", depth.paused}};
    o["counts"] = to_json(depth.counts);
    o["depth"] = depth.effective;
    o["oldestWaitingMs"] = depth.oldest_waiting_ms;
    o["workers"] = workers;
    o["concurrency"] = meta.concurrency ? json::value(*meta.concurrency) : json::value(nullptr);
    o["rateLimit"] =
        meta.max ? json::value(json::object{{"max", *meta.max}, {"durationMs", meta.duration_ms.value_or(0)}})
                 : json::value(nullptr);
    o["limitedForMs"] = limited.count();
    o["version"] = meta.version;
    if (target.as_json) {
        print(o);
        co_return exit_ok;
    }
    fmt::print("{:<18} {}{}\n", "queue", printable(q.name()), depth.paused ? " (paused)" : "");
    for (const auto& [state, count] : o["counts"].as_object())
        fmt::print("{:<18} {}\n", std::string_view{state}, count.as_int64());
    fmt::print("{:<18} {}\n{:<18} {} ms\n{:<18} {}\n", "depth", depth.effective, "oldest waiting",
               depth.oldest_waiting_ms, "workers", workers);
    if (meta.concurrency) fmt::print("{:<18} {}\n", "global concurrency", *meta.concurrency);
    if (meta.max)
        fmt::print("{:<18} {} per {} ms\n", "global rate limit", *meta.max, meta.duration_ms.value_or(0));
    if (limited.count() > 0) fmt::print("{:<18} {} ms\n", "limited for", limited.count());
    fmt::print("{:<18} {}\n", "version", printable(meta.version));
    co_return exit_ok;
}

constexpr std::size_t most_queues = 100'000;

/// Names of all queues under the prefix: each has a `meta` or, from an add alone, an `id`.
task<std::set<std::string>> queue_names(std::string prefix, redis::client& client) {
    std::set<std::string> names;
    for (const std::string_view suffix : {":meta", ":id"}) {
        const auto keys = co_await client.scan(prefix + ":*" + std::string{suffix}, most_queues);
        for (std::string_view key : keys) {
            if (!key.starts_with(prefix + ":") || !key.ends_with(suffix)) continue;
            key.remove_prefix(prefix.size() + 1);
            if (key.size() <= suffix.size()) continue;
            key.remove_suffix(suffix.size());
            if (key.find(':') == std::string_view::npos) names.emplace(key);
        }
    }
    co_return names;
}

task<int> list_queues(const queue_target& target, redis::client& client) {
    json::array rows;
    if (!target.as_json)
        fmt::print("{:<24} {:>9} {:>8} {:>9} {:>9} {:>8} {:>11} {:>8}\n", "queue", "waiting", "active",
                   "delayed", "completed", "failed", "prioritized", "children");
    for (const auto& name : co_await queue_names(target.prefix, client)) {
        queue::queue_options options;
        options.prefix = target.prefix;
        queue::queue q{client, name, options};
        const auto c = co_await q.counts();
        if (target.as_json)
            rows.push_back(json::object{{"queue", name}, {"counts", to_json(c)}});
        else
            fmt::print("{:<24} {:>9} {:>8} {:>9} {:>9} {:>8} {:>11} {:>8}\n", printable(name), c.waiting,
                       c.active, c.delayed, c.completed, c.failed, c.prioritized, c.waiting_children);
    }
    if (target.as_json) print(rows);
    co_return exit_ok;
}

task<int> list_workers(const queue_target& target, queue::queue& q) {
    queue::queue_getters getters{q};
    const auto found = co_await getters.workers();
    json::array rows;
    if (!target.as_json) fmt::print("{:<24} {:<24} {:>8} {:>8}\n", "name", "address", "age s", "idle s");
    for (const auto& w : found) {
        if (target.as_json)
            rows.push_back(json::object{{"name", w.name},
                                        {"address", w.address},
                                        {"ageSeconds", w.age_s},
                                        {"idleSeconds", w.idle_s}});
        else
            fmt::print("{:<24} {:<24} {:>8} {:>8}\n", w.name.empty() ? "-" : printable(w.name), w.address,
                       w.age_s, w.idle_s);
    }
    if (target.as_json) print(rows);
    co_return exit_ok;
}

} // namespace

void add_queue_overview(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("stats", "Counts, depth, settings and workers of a queue");
    auto target = add_target(*verb);
    verb->callback([&chosen, target] {
        chosen = on_queue(target, [target](queue::queue& q) { return stats(*target, q); });
    });

    verb = group.add_subcommand("ls", "All queues with the prefix, and their counts");
    target = add_target(*verb);
    verb->callback([&chosen, target] {
        chosen = on_redis(target, [target](redis::client& c) { return list_queues(*target, c); });
    });

    verb = group.add_subcommand("workers", "Workers that are connected, of any BullMQ client");
    target = add_target(*verb);
    verb->callback([&chosen, target] {
        chosen = on_queue(target, [target](queue::queue& q) { return list_workers(*target, q); });
    });
}

} // namespace tiktrend::cli
