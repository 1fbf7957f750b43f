// The same scenario by BullMQ 6.7.0 and by us, with the same ids and timestamps, leaves the same keys and
// events behind.
#include "actor.hpp"
#include "redis_dump.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;
using tiktrend::testing::redis_server;

namespace {

constexpr std::int64_t then = 1'700'000'000'000;  // in the past: what is added with it and a delay is due
constexpr std::int64_t later = 4'000'000'000'000; // far in the future: stays delayed

/// A value that depends on the clock, the worker's name, the library or its stack is replaced by what it is.
std::string steady(const std::string& key, const std::string& field, const std::string& value) {
    static const std::set<std::string> times{"processedOn", "finishedOn"};
    if (times.contains(field)) return "<time>";
    if (field == "pb") return "<worker>";
    if (field == "version" && key.ends_with(":meta")) return "<version>";
    if (field == "stacktrace") return std::to_string(json::parse(value).as_array().size()) + " stacks";
    if (field == "opts" || field == "data" || field == "progress" || field == "returnvalue")
        return canonical(json::parse(value));
    return value;
}

std::vector<std::string> dump(int database, const std::set<std::string>& left_out) {
    std::vector<std::string> out;
    for (const auto& key : dump_redis(database)) {
        const auto suffix = key.name.substr(key.name.rfind(':') + 1);
        if (left_out.contains(suffix)) continue;
        const bool is_finished = suffix == "completed" || suffix == "failed";
        std::vector<std::string> rows;
        for (const auto& row : key.rows) {
            std::string line;
            if (key.type == "hash")
                line = row.at(0) + "=" + steady(key.name, row.at(0), row.at(1));
            else if (key.type == "stream")
                for (std::size_t i = 0; i + 1 < row.size(); i += 2)
                    line += " " + row[i] + "=" + steady(key.name, row[i], row[i + 1]);
            else if (key.type == "zset")
                line = row.at(0) + " @ " + (is_finished ? "<time>" : row.at(1));
            else
                line = row.at(0);
            rows.push_back(std::move(line));
        }
        // Finished jobs are ordered by a time that we leave out, hashes and sets not at all.
        const bool unordered = key.type == "hash" || key.type == "set" || is_finished;
        if (unordered) std::sort(rows.begin(), rows.end());
        for (std::size_t i = 0; i < rows.size(); ++i)
            out.push_back(key.name + " " + key.type + (key.ttl_ms > 0 ? " (expires)" : "") +
                          (unordered ? " " : " [" + std::to_string(i) + "] ") + rows[i]);
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Runs the scenario in a database of its own for each library and compares what is left.
void compare(const std::function<void(actor&)>& scenario, const std::set<std::string>& left_out = {}) {
    redis_server::shared().command({"FLUSHALL"});
    {
        actor theirs{library::node6, 1};
        scenario(theirs);
        actor ours{library::ours, 2};
        scenario(ours);
    }
    const auto expected = dump(1, left_out);
    const auto found = dump(2, left_out);
    REQUIRE(expected.size() > 3);
    std::string difference;
    for (const auto& line : expected)
        if (!std::binary_search(found.begin(), found.end(), line)) difference += "\nmissing: " + line;
    for (const auto& line : found)
        if (!std::binary_search(expected.begin(), expected.end(), line)) difference += "\nextra:   " + line;
    INFO(difference);
    CHECK(difference.empty());
}

json::object at(std::int64_t timestamp, json::object opts = {}) {
    opts["timestamp"] = timestamp;
    return opts;
}

/// Runs what is queued with one worker until `id` has finished.
void run_until_finished(actor& who, const std::string& queue, const std::vector<std::string>& ids,
                        json::object options = {}) {
    worker_of worker{who, queue, std::move(options)};
    for (const auto& id : ids)
        REQUIRE(poll_until([&] { return job(who, queue, id).at("finished") == true; }));
}

// What a stopped worker leaves of these depends on when it stopped.
const std::set<std::string> depends_on_timing{"marker", "stalled", "stalled-check"};

} // namespace

TEST_CASE("every kind of add leaves the same keys and events", "[interop][keyspace]") {
    compare([](actor& who) {
        who.call("open", {{"queue", "q"}});
        add(who, "q", {{"color", "red"}, {"n", json::array{}}, {"text", "é\n\"\\"}},
            at(then, {{"attempts", 3},
                      {"backoff", {{"type", "fixed"}, {"delay", 1000}}},
                      {"keepLogs", 5},
                      {"stackTraceLimit", 2},
                      {"removeOnComplete", {{"age", 3600}, {"count", 10}, {"limit", 5}}},
                      {"removeOnFail", true}}),
            "paint");
        add(who, "q", {}, at(then, {{"lifo", true}}));
        add(who, "q", {}, at(then, {{"priority", 7}}));
        add(who, "q", {}, at(then, {{"priority", 7}, {"lifo", true}}));
        add(who, "q", {}, at(then, {{"priority", 2097151}}));
        add(who, "q", {{"n", 1}}, at(later, {{"delay", 60000}, {"jobId", "cust-1"}}));
        add(who, "q", {{"n", 2}}, at(later, {{"delay", 60000}, {"jobId", "cust-1"}}));
        add(who, "q", {}, at(later, {{"delay", 60002}}));
        add(who, "q", {}, at(later, {{"delay", 60002}, {"priority", 3}}));
        add(who, "q", {},
            at(then, {{"attempts", 4}, {"backoff", 250}, {"removeOnComplete", false}, {"removeOnFail", 7}}));
        add(who, "q", {}, at(then, {{"backoff", {{"type", "exponential"}, {"delay", 10}, {"jitter", 0.5}}}}));
        json::array jobs;
        for (int i = 0; i < 5; ++i)
            jobs.push_back(json::object{{"name", "bulk"},
                                        {"data", {{"i", i}}},
                                        {"opts", i % 2 ? at(then, {{"priority", i}}) : at(then)}});
        who.call("add_bulk", {{"queue", "q"}, {"jobs", std::move(jobs)}});
    });
}

TEST_CASE("jobs that complete and fail leave the same keys and events", "[interop][keyspace]") {
    compare(
        [](actor& who) {
            who.call("open", {{"queue", "q"}});
            std::vector<std::string> ids;
            ids.push_back(add(
                who, "q",
                {{"result", {{"n", 1}, {"s", "ä"}}}, {"progress", {5, {{"page", 1}}}}, {"logs", {"a", "b"}}},
                at(then, {{"keepLogs", 1}})));
            ids.push_back(add(who, "q", json::object{}, at(then))); // no result
            ids.push_back(add(who, "q", {{"fail_times", 9}, {"reason", "broken"}}, at(then)));
            ids.push_back(add(who, "q", {{"fail_times", 9}, {"reason", "broken thrice"}},
                              at(then, {{"attempts", 3}, {"stackTraceLimit", 2}})));
            ids.push_back(add(who, "q", {{"fail_times", 1}, {"reason", "once"}, {"result", 7}},
                              at(then, {{"attempts", 2}, {"priority", 4}})));
            ids.push_back(add(who, "q", {{"unrecoverable", true}, {"reason", "for good"}},
                              at(then, {{"attempts", 4}})));
            add(who, "q", {{"result", 0}}, at(then, {{"removeOnComplete", true}}));
            ids.push_back(add(who, "q", {{"result", "last"}}, at(then, {{"priority", 9}})));
            run_until_finished(who, "q", ids);
        },
        depends_on_timing);
}

TEST_CASE("a retry with back-off leaves the same keys and events", "[interop][keyspace]") {
    compare(
        [](actor& who) {
            who.call("open", {{"queue", "q"}});
            // The worker is paused before the back-off is over, so that the job is seen where it waits.
            const auto id =
                add(who, "q", {{"fail_times", 9}, {"reason", "broken"}},
                    at(then, {{"attempts", 2}, {"backoff", {{"type", "fixed"}, {"delay", 3600000}}}}));
            {
                worker_of worker{who, "q"};
                REQUIRE(reaches(who, "q", id, "delayed"));
            }
            who.call("promote", {{"queue", "q"}, {"id", id}});
            run_until_finished(who, "q", {id});
            who.call("retry", {{"queue", "q"}, {"id", id}, {"from", "failed"}});
        },
        // The time of the back-off is now plus an hour, so the event's number differs.
        {"marker", "stalled", "stalled-check", "delayed", "events"});
}

TEST_CASE("due delayed jobs, pause, resume and removal leave the same keys and events",
          "[interop][keyspace]") {
    compare(
        [](actor& who) {
            who.call("open", {{"queue", "q"}});
            std::vector<std::string> ids;
            for (int i = 0; i < 3; ++i)
                ids.push_back(add(who, "q", {{"result", i}}, at(then, {{"delay", 10 - i}})));
            ids.push_back(add(who, "q", {{"result", 3}}, at(then, {{"delay", 10}, {"priority", 2}})));
            who.call("pause", {{"queue", "q"}});
            ids.push_back(add(who, "q", {{"result", 4}}, at(then)));
            ids.push_back(add(who, "q", {{"result", 5}}, at(then, {{"priority", 1}})));
            who.call("resume", {{"queue", "q"}});
            for (const auto& opts : {at(then), at(later, {{"delay", 1}}), at(then, {{"priority", 8}})}) {
                const auto id = add(who, "q", json::object{}, opts);
                who.call("remove", {{"queue", "q"}, {"id", id}});
            }
            run_until_finished(who, "q", ids);
        },
        depends_on_timing);
}

TEST_CASE("a paused queue and a resumed one leave the same marker", "[interop][keyspace]") {
    compare([](actor& who) {
        who.call("open", {{"queue", "paused"}});
        add(who, "paused", {}, at(then));
        who.call("pause", {{"queue", "paused"}});
        add(who, "paused", {}, at(then));
        add(who, "paused", {}, at(later, {{"delay", 500}}));
        for (const std::string queue : {"resumed", "resumed-delayed", "resumed-empty"}) {
            who.call("open", {{"queue", queue}});
            who.call("pause", {{"queue", queue}});
            if (queue == "resumed") add(who, queue, {}, at(then, {{"priority", 1}}));
            if (queue == "resumed-delayed") add(who, queue, {}, at(later, {{"delay", 500}}));
            who.call("resume", {{"queue", queue}});
        }
    });
}
