// One library adds, the other processes: what a job is, does and says must not depend on who does which.
#include "actor.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

/// The events of a queue as Node's QueueEvents reports them, "name:jobId[ member=value]" each.
std::vector<std::string> events_of(const std::string& queue, std::string_view member = {}) {
    std::vector<std::string> out;
    const auto events = actor::shared(library::node6).call("events", {{"queue", queue}});
    for (const auto& e : events.as_array()) {
        const auto& o = e.as_object();
        std::string line{o.at("event").as_string()};
        if (const auto* id = o.if_contains("jobId")) line += ":" + std::string{id->as_string()};
        if (const auto* value = member.empty() ? nullptr : o.if_contains(member))
            line += " " + std::string{member} + "=" +
                    (value->is_string() ? std::string{value->as_string()} : json::serialize(*value));
        out.push_back(std::move(line));
    }
    return out;
}

void watch(const std::string& queue) {
    actor::shared(library::node6).call("watch_events", {{"queue", queue}});
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a job arrives with its data and leaves with its result, progress and logs", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    auto& consumer = actor::shared(p.worker);
    const auto queue = fresh_queue("plain");
    watch(queue);
    const json::object data{{"text", "Größe \"XL\" \xE2\x80\xA8 \\ \t é"},
                            {"n", 12345678901},
                            {"list", {1, nullptr, true}},
                            {"progress", {50, {{"page", 2}, {"note", "é"}}}},
                            {"logs", {"first row", "zweite Zeile ü"}},
                            {"result", {{"products_found", 3}, {"ok", true}}}};
    worker_of worker{consumer, queue};
    const auto id = add(producer, queue, data, {{"attempts", 3}}, "scrape");
    REQUIRE(reaches(producer, queue, id, "completed"));

    for (auto* reader : {&producer, &consumer}) {
        CAPTURE(reader->which());
        const auto seen = job(*reader, queue, id);
        CHECK(seen.at("name") == "scrape");
        CHECK(seen.at("data") == data);
        CHECK(seen.at("result") == data.at("result"));
        CHECK(seen.at("progress") == data.at("progress").at(1));
        CHECK(seen.at("attempts") == 3);
        CHECK(seen.at("attempts_made") == 1);
        CHECK(seen.at("attempts_started") == 1);
        CHECK(seen.at("processed_by") == json::string{worker.name()});
        CHECK(seen.at("finished") == true);
        CHECK(reader->call("logs", {{"queue", queue}, {"id", id}}).at("logs") == data.at("logs"));
    }

    REQUIRE(poll_until([&] { return events_of(queue).size() >= 6; }));
    CHECK(events_of(queue, "prev").at(2) == "active:" + id + " prev=waiting");
    CHECK(events_of(queue) == lines{"added:" + id, "waiting:" + id, "active:" + id, "progress:" + id,
                                    "progress:" + id, "completed:" + id, "drained"});
}

TEST_CASE("Node waits for a job that another library finishes", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& waiting = actor::shared(library::node6);
    const auto queue = fresh_queue("wait");
    watch(queue);
    const json::object arguments{{"queue", queue}, {"limit_ms", 15000}};

    auto ask = arguments;
    const auto good = add(actor::shared(p.producer), queue, {{"result", {{"n", 1}}}});
    ask["id"] = good;
    const auto first = waiting.send("wait_until_finished", ask);
    const auto bad = add(actor::shared(p.producer), queue, {{"fail_times", 9}, {"reason", "no such shop"}});
    ask["id"] = bad;
    const auto second = waiting.send("wait_until_finished", ask);
    worker_of worker{actor::shared(p.worker), queue};
    CHECK(waiting.receive(first) == json::value{{"n", 1}});
    CHECK_THROWS_WITH(waiting.receive(second), Catch::Contains("no such shop"));
}

TEST_CASE("a failing job is retried with its back-off and fails for good", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("retries");
    watch(queue);
    worker_of worker{actor::shared(p.worker), queue};
    const auto id = add(producer, queue, {{"fail_times", 9}, {"reason", "shop answered 500"}},
                        {{"attempts", 3}, {"backoff", {{"type", "exponential"}, {"delay", 20}}}});
    REQUIRE(reaches(producer, queue, id, "failed"));
    const auto seen = job(producer, queue, id);
    CHECK(seen.at("attempts_made") == 3);
    CHECK(seen.at("attempts_started") == 3);
    CHECK(seen.at("reason") == "shop answered 500");
    CHECK(seen.at("stacks") == 3);
    CHECK(worker.ran() == lines{id, id, id});
    REQUIRE(poll_until([&] { return events_of(queue).back() == "drained"; }));
    CHECK(events_of(queue, "prev") ==
          lines{"added:" + id, "waiting:" + id, "active:" + id + " prev=waiting", "delayed:" + id,
                "waiting:" + id + " prev=delayed", "active:" + id + " prev=waiting", "delayed:" + id,
                "waiting:" + id + " prev=delayed", "active:" + id + " prev=waiting",
                "failed:" + id + " prev=active", "retries-exhausted:" + id, "drained"});
    CHECK(events_of(queue, "attemptsMade").at(10) == "retries-exhausted:" + id + " attemptsMade=3");
}

TEST_CASE("a job that fails twice completes at its third attempt", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("third");
    watch(queue);
    worker_of worker{actor::shared(p.worker), queue};
    const auto id = add(producer, queue, {{"fail_times", 2}, {"reason", "not yet"}, {"result", "done"}},
                        {{"attempts", 3}});
    REQUIRE(reaches(producer, queue, id, "completed"));
    const auto seen = job(producer, queue, id);
    CHECK(seen.at("attempts_made") == 3);
    CHECK(seen.at("result") == "done");
    REQUIRE(poll_until([&] { return events_of(queue).back() == "drained"; }));
    CHECK(events_of(queue, "prev") ==
          lines{"added:" + id, "waiting:" + id, "active:" + id + " prev=waiting",
                "waiting:" + id + " prev=active", "active:" + id + " prev=waiting",
                "waiting:" + id + " prev=active", "active:" + id + " prev=waiting",
                "completed:" + id + " prev=active", "drained"});
}

TEST_CASE("an unrecoverable error spends no further attempt", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("unrecoverable");
    worker_of worker{actor::shared(p.worker), queue};
    const auto id =
        add(producer, queue, {{"unrecoverable", true}, {"reason", "unknown source"}}, {{"attempts", 5}});
    REQUIRE(reaches(producer, queue, id, "failed"));
    CHECK(job(producer, queue, id).at("attempts_made") == 1);
    CHECK(job(producer, queue, id).at("reason") == "unknown source");
    CHECK(worker.ran() == lines{id});
}

TEST_CASE("priorities of two producers form one order", "[interop][jobs]") {
    const auto node = GENERATE(library::node6, library::node5);
    const auto runner = GENERATE(library::ours, library::node6);
    CAPTURE(node, runner);
    auto& theirs = actor::shared(node);
    auto& ours = actor::shared(library::ours);
    const auto queue = fresh_queue("priority");
    const auto low = add(theirs, queue, {}, {{"priority", 2097151}});
    const auto five_a = add(ours, queue, {}, {{"priority", 5}});
    const auto five_b = add(theirs, queue, {}, {{"priority", 5}});
    const auto five_c = add(ours, queue, {}, {{"priority", 5}});
    const auto one = add(theirs, queue, {}, {{"priority", 1}});
    const auto plain_a = add(ours, queue);
    const auto plain_b = add(theirs, queue);
    CHECK(state(ours, queue, low) == "prioritized");
    worker_of worker{actor::shared(runner), queue};
    REQUIRE(reaches(ours, queue, low, "completed"));
    CHECK(worker.ran() == lines{plain_a, plain_b, one, five_a, five_b, five_c, low});
}

TEST_CASE("the newest of the lifo jobs runs first", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("lifo");
    const auto first = add(producer, queue);
    const auto second = add(producer, queue);
    const auto front = add(producer, queue, {}, {{"lifo", true}});
    const auto very_front = add(producer, queue, {}, {{"lifo", true}});
    worker_of worker{actor::shared(p.worker), queue};
    REQUIRE(reaches(producer, queue, second, "completed"));
    CHECK(worker.ran() == lines{very_front, front, first, second});
}

TEST_CASE("delayed jobs run in the order of their times, not before", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("delayed");
    worker_of worker{actor::shared(p.worker), queue};
    const auto started = std::chrono::steady_clock::now();
    const auto late = add(producer, queue, {}, {{"delay", 1200}});
    const auto soon = add(producer, queue, {}, {{"delay", 200}});
    const auto far = add(producer, queue, {}, {{"delay", 3600000}});
    CHECK(state(producer, queue, far) == "delayed");
    REQUIRE(reaches(producer, queue, late, "completed"));
    CHECK(std::chrono::steady_clock::now() - started >= std::chrono::milliseconds{1200});
    CHECK(worker.ran() == lines{soon, late});
    CHECK(job(producer, queue, late).at("delay") == 0);

    producer.call("promote", {{"queue", queue}, {"id", far}});
    CHECK(reaches(producer, queue, far, "completed"));
}

TEST_CASE("delayed jobs of one millisecond keep the order of two producers", "[interop][jobs]") {
    const auto node = GENERATE(library::node6, library::node5);
    CAPTURE(node);
    const auto queue = fresh_queue("ties");
    lines expected;
    for (int i = 0; i < 6; ++i)
        expected.push_back(add(actor::shared(i % 2 ? node : library::ours), queue, {},
                               {{"delay", 1000}, {"timestamp", 1700000000000}}));
    worker_of worker{actor::shared(library::ours), queue};
    REQUIRE(reaches(actor::shared(node), queue, expected.back(), "completed"));
    CHECK(worker.ran() == expected);
}

TEST_CASE("a custom id that exists adds nothing", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    auto& other = actor::shared(p.worker);
    const auto queue = fresh_queue("custom");
    watch(queue);
    CHECK(add(producer, queue, {{"n", 1}}, {{"jobId", "order-7"}}) == "order-7");
    CHECK(add(other, queue, {{"n", 2}}, {{"jobId", "order-7"}}) == "order-7");
    CHECK(add(producer, queue) == "3"); // every add counts, a duplicate too
    CHECK(job(other, queue, "order-7").at("data") == json::value{{"n", 1}});
    REQUIRE(poll_until([&] { return events_of(queue).size() >= 5; }));
    CHECK(events_of(queue) ==
          lines{"added:order-7", "waiting:order-7", "duplicated:order-7", "added:3", "waiting:3"});
}

TEST_CASE("jobs added in bulk run in their order", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("bulk");
    json::array jobs;
    for (int i = 0; i < 700; ++i)
        jobs.push_back(json::object{{"name", "n"}, {"data", {{"result", i}}}, {"opts", json::object{}}});
    const auto ids = producer.call("add_bulk", {{"queue", queue}, {"jobs", std::move(jobs)}}).as_array();
    REQUIRE(ids.size() == 700);
    worker_of worker{actor::shared(p.worker), queue};
    REQUIRE(reaches(producer, queue, std::string{ids.back().as_string()}, "completed"));
    const auto ran = worker.ran();
    REQUIRE(ran.size() == 700);
    for (std::size_t i = 0; i < ran.size(); ++i)
        if (ran[i] != ids[i].as_string()) FAIL("at " << i << ": " << ran[i] << " instead of " << ids[i]);
    CHECK(job(actor::shared(p.worker), queue, "700").at("result") == 699);
}

TEST_CASE("a finished job is retried by the other library", "[interop][jobs]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("again");
    worker_of worker{actor::shared(p.worker), queue};
    // fails at its first attempt (attemptsMade 0), and is good afterwards
    const auto id = add(producer, queue, {{"fail_times", 1}, {"reason", "once"}, {"result", 5}});
    REQUIRE(reaches(producer, queue, id, "failed"));
    producer.call("retry", {{"queue", queue}, {"id", id}, {"from", "failed"}});
    REQUIRE(reaches(producer, queue, id, "completed"));
    const auto seen = job(actor::shared(p.worker), queue, id);
    CHECK(seen.at("result") == 5);
    CHECK(seen.at("reason") == "");
}
