// Schedulers made by one library and continued by the workers of the other.
#include "actor.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

json::value upsert(actor& who, const std::string& queue, json::object repeat, json::object jobs = {}) {
    return who.call(
        "upsert_scheduler",
        {{"queue", queue}, {"id", "tick"}, {"repeat", std::move(repeat)}, {"template", std::move(jobs)}});
}

json::object scheduler(actor& who, const std::string& queue) {
    const auto all = who.call("schedulers", {{"queue", queue}}).as_array();
    REQUIRE(all.size() == 1);
    return all[0].as_object();
}

} // namespace

TEST_CASE("a scheduler goes on whoever made it and whoever runs it", "[interop][schedulers]") {
    const auto p = GENERATE(from_range(std::vector<pairing>{{library::ours, library::node6},
                                                            {library::node6, library::ours},
                                                            {library::node5, library::ours},
                                                            {library::ours, library::node5}}));
    const bool is_cron = GENERATE(false, true);
    CAPTURE(p, is_cron);
    auto& maker = actor::shared(p.producer);
    const auto queue = fresh_queue("schedules");
    json::object repeat;
    if (is_cron) {
        repeat["pattern"] = "* * * * * *";
        repeat["tz"] = "Europe/Madrid";
    } else {
        repeat["every"] = 300;
    }
    upsert(maker, queue, repeat, {{"name", "tock"}, {"data", {{"result", 1}}}});
    worker_of worker{actor::shared(p.worker), queue};
    REQUIRE(poll_until([&] { return worker.ran().size() >= 3; }, std::chrono::seconds{20}));
    const auto ran = worker.ran();
    for (const auto& id : ran)
        CHECK(id.starts_with("repeat:tick:"));
    auto sorted = ran;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()); // each once
    if (is_cron)
        for (const auto& id : ran)
            CHECK(id.ends_with("000")); // at whole seconds
    const auto first = job(maker, queue, ran.front());
    CHECK(first.at("name") == "tock");
    CHECK(first.at("data") == json::parse(R"({"result":1})"));
    CHECK(reaches(maker, queue, ran.front(), "completed"));
}

TEST_CASE("both clients read and end each other's schedulers", "[interop][schedulers]") {
    const auto p = GENERATE(from_range(std::vector<pairing>{
        {library::ours, library::node6}, {library::node6, library::ours}, {library::ours, library::ours}}));
    CAPTURE(p);
    auto& maker = actor::shared(p.producer);
    auto& reader = actor::shared(p.worker);
    const auto queue = fresh_queue("schedules");
    const auto id = upsert(maker, queue, {{"pattern", "0 0 3 * * 1"}, {"tz", "Asia/Tokyo"}, {"limit", 4}},
                           {{"name", "weekly"}});
    const auto s = scheduler(reader, queue);
    CHECK(s.at("key") == "tick");
    CHECK(s.at("name") == "weekly");
    CHECK(s.at("pattern") == "0 0 3 * * 1");
    CHECK(s.at("tz") == "Asia/Tokyo");
    CHECK(s.at("limit") == 4);
    CHECK(s.at("iterationCount") == 1);
    CHECK(id.as_string() == "repeat:tick:" + json::serialize(s.at("next")));
    // The other upserts the same rule: the time stays, nothing doubles.
    CHECK(upsert(reader, queue, {{"pattern", "0 0 3 * * 1"}, {"tz", "Asia/Tokyo"}}) == id);
    CHECK(reader.call("counts", {{"queue", queue}}).at("delayed") == 1);
    CHECK(reader.call("remove_scheduler", {{"queue", queue}, {"id", "tick"}}) == true);
    CHECK(maker.call("schedulers", {{"queue", queue}}).as_array().empty());
    CHECK(maker.call("counts", {{"queue", queue}}).at("delayed") == 0);
}

TEST_CASE("a repeatable of version 5 with a pattern goes on with its name and data",
          "[interop][schedulers]") {
    const auto queue = fresh_queue("repeatables");
    auto& old = actor::shared(library::node5);
    add(old, queue, {{"result", 5}}, {{"repeat", {{"pattern", "* * * * * *"}}}}, "legacy");
    worker_of worker{actor::shared(library::ours), queue};
    REQUIRE(poll_until([&] { return worker.ran().size() >= 3; }, std::chrono::seconds{20}));
    const auto last = job(old, queue, worker.ran().back());
    CHECK(last.at("name") == "legacy");
    CHECK(last.at("data") == json::parse(R"({"result":5})"));
}

// Once the key of a repeatable was its whole rule; version 5 goes on with such a key if it is there.
TEST_CASE("a repeatable under an old key is continued by us and by version 5 in turn",
          "[interop][schedulers]") {
    const auto is_cron = GENERATE(false, true);
    CAPTURE(is_cron);
    const auto queue = fresh_queue("repeatables");
    const std::string member = is_cron ? "old::::* * * * * *" : "old::::400";
    auto& redis = tiktrend::testing::redis_server::shared();
    redis.command({"ZADD", "bull:" + queue + ":repeat", "1", member});
    auto& old = actor::shared(library::node5);
    json::object rule;
    if (is_cron)
        rule["pattern"] = "* * * * * *";
    else
        rule["every"] = 400;
    add(old, queue, {{"result", 5}}, {{"repeat", rule}}, "old");
    const auto stem_of = [](const std::string& id) { return id.substr(0, id.rfind(':')); };
    std::string stem;
    for (const auto who : {library::ours, library::node5, library::ours}) {
        CAPTURE(who);
        worker_of worker{actor::shared(who), queue};
        REQUIRE(poll_until([&] { return worker.ran().size() >= 2; }, std::chrono::seconds{20}));
        const auto id = worker.ran().back();
        if (stem.empty()) stem = stem_of(id);
        CHECK(stem_of(id) == stem);
        const auto last = job(old, queue, id);
        CHECK(last.at("name") == "old");
        CHECK(last.at("data") == json::parse(R"({"result":5})"));
    }
    CHECK(redis.command({"ZRANGE", "bull:" + queue + ":repeat", "0", "-1"}) == member);
}

TEST_CASE("a limit ends a scheduler across clients", "[interop][schedulers]") {
    const auto worker_library = GENERATE(library::ours, library::node6);
    const auto queue = fresh_queue("limited");
    auto& maker = actor::shared(worker_library == library::ours ? library::node6 : library::ours);
    upsert(maker, queue, {{"every", 100}, {"limit", 2}});
    worker_of worker{actor::shared(worker_library), queue};
    REQUIRE(poll_until([&] { return maker.call("counts", {{"queue", queue}}).at("completed") == 2; },
                       std::chrono::seconds{20}));
    CHECK(maker.call("counts", {{"queue", queue}}).at("delayed") == 0);
    CHECK(worker.ran().size() == 2);
}
