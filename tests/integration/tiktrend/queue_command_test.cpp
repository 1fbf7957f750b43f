// `tiktrend queue` as an operator uses it, on a queue as any BullMQ client leaves it.
#include "run_tiktrend.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <boost/json.hpp>

#include <csignal>

using namespace tiktrend::testing;

namespace {

namespace json = boost::json;

/// A queue `work` written with plain commands.
struct command_line {
    redis_server& server = redis_server::shared();
    command_line() { redis({"FLUSHALL"}); }

    std::string redis(std::vector<std::string> words) { return server.command(std::move(words)); }
    std::string key(const std::string& suffix) const { return "bull:work:" + suffix; }

    void add_job(const std::string& id, const std::string& state, const std::string& score = "1") {
        redis({"HSET", key("meta"), "opts.maxLenEvents", "10000", "version", "bullmq:6.7.0"});
        redis({"HSET", key(id), "name", "paint", "data", R"({"color":"red"})", "opts", R"({"attempts":3})",
               "timestamp", "1700000000000", "delay", "0", "priority", "0"});
        if (state == "wait" || state == "active")
            redis({"LPUSH", key(state), id});
        else
            redis({"ZADD", key(state), score, id});
    }
    std::map<std::string, std::string> environment() const {
        return {{"REDIS_QUEUE_URL", server.url()}, {"QUEUE_NAME", "work"}};
    }
    outcome run(std::vector<std::string> words) {
        words.insert(words.begin(), "queue");
        return run_tiktrend(std::move(words), environment());
    }
    json::value json_of(std::vector<std::string> words) {
        words.push_back("--json");
        const auto result = run(std::move(words));
        INFO(result.output);
        REQUIRE(result.status == 0);
        return json::parse(result.output);
    }
};

} // namespace

TEST_CASE("stats, ls and workers tell what is there", "[integration][tiktrend][queue]") {
    command_line c;
    c.add_job("1", "wait");
    c.add_job("2", "failed");
    c.redis({"HSET", c.key("meta"), "paused", "1", "concurrency", "7", "max", "3", "duration", "1000"});
    c.redis({"INCR", "bull:other:id"});
    c.redis({"HSET", "bull:work:repeat:meta", "name", "a scheduler called meta"}); // is no queue
    const auto stats = c.json_of({"stats"});
    CHECK(stats.at("queue") == "work");
    CHECK(stats.at("paused") == true);
    CHECK(stats.at("counts").at("waiting") == 1);
    CHECK(stats.at("counts").at("failed") == 1);
    CHECK(stats.at("concurrency") == 7);
    CHECK(stats.at("rateLimit").at("max") == 3);
    CHECK(stats.at("workers") == 0);
    CHECK(stats.at("version") == "bullmq:6.7.0");
    const auto text = c.run({"stats"});
    CHECK_THAT(text.output, Catch::Contains("work (paused)") && Catch::Contains("global concurrency 7"));

    const auto queues = c.json_of({"ls"}).as_array();
    REQUIRE(queues.size() == 2);
    CHECK(queues[0].at("queue") == "other");
    CHECK(queues[1].at("counts").at("waiting") == 1);
    CHECK(c.json_of({"workers"}) == json::array{});
    CHECK_THAT(c.run({"workers"}).output, Catch::StartsWith("name"));
}

TEST_CASE("jobs are listed and looked at", "[integration][tiktrend][queue]") {
    command_line c;
    c.add_job("a", "failed", "1");
    c.add_job("b", "failed", "2");
    c.redis({"HSET", c.key("b"), "failedReason", "bad\x1b[31m news", "stacktrace", R"(["one"])", "atm", "3"});
    c.redis({"RPUSH", c.key("b:logs"), "row 1", "row 2"});
    const auto jobs = c.json_of({"jobs"}).as_array();
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[0].at("id") == "b"); // newest first
    CHECK(jobs[0].at("state") == "failed");
    CHECK(c.json_of({"jobs", "--oldest-first", "--limit", "1"}).as_array()[0].at("id") == "a");
    CHECK(c.json_of({"jobs", "--start", "1"}).as_array()[0].at("id") == "a");
    CHECK(c.json_of({"jobs", "--state", "waiting"}) == json::array{});
    const auto listed = c.run({"jobs"});
    CHECK_THAT(listed.output, Catch::Contains("bad\\x1b[31m news")); // no escape reaches the terminal

    const auto job = c.json_of({"job", "get", "b"});
    CHECK(job.at("data").at("color") == "red");
    CHECK(job.at("opts").at("attempts") == 3);
    CHECK(job.at("stacktrace") == json::array{"one"});
    CHECK(job.at("logs") == json::array{"row 1", "row 2"});
    CHECK_THAT(c.run({"job", "get", "b"}).output, Catch::Contains("attemptsMade     3"));
    for (const char* id : {"nobody", "meta"}) {
        const auto missing = c.run({"job", "get", id});
        CHECK(missing.status == 1);
        CHECK(missing.output ==
              "tiktrend: there is no job \"" + std::string{id} + "\" in the queue \"work\"\n");
    }
    const auto wrong = c.run({"jobs", "--state", "asleep"});
    CHECK(wrong.status == 2);
    CHECK_THAT(wrong.output, Catch::StartsWith("--state=\"asleep\": expected waiting"));
}

TEST_CASE("one job is retried, promoted and removed", "[integration][tiktrend][queue]") {
    command_line c;
    c.add_job("f", "failed");
    c.redis({"HSET", c.key("f"), "atm", "3", "failedReason", "bad"});
    c.add_job("d", "delayed");
    c.add_job("run", "active");
    c.redis({"SET", c.key("run:lock"), "T"});
    CHECK(c.json_of({"job", "retry", "f", "--reset-attempts"}).at("done") == "retried");
    CHECK(c.redis({"HEXISTS", c.key("f"), "atm"}) == "0");
    const auto again = c.run({"job", "retry", "f"});
    CHECK(again.status == 1);
    CHECK(again.output == "tiktrend: the job f is waiting: only a failed or completed one can be retried\n");
    CHECK(c.run({"job", "promote", "d"}).output == "promoted d\n");
    CHECK(c.run({"job", "promote", "d"}).status == 1);

    const auto unsure = c.run({"job", "rm", "d"});
    CHECK(unsure.status == 2);
    CHECK(unsure.output == "removing a job of the queue \"work\" cannot be undone: add --yes\n");
    CHECK(c.redis({"EXISTS", c.key("d")}) == "1");
    CHECK(c.run({"job", "rm", "d", "--yes"}).output == "removed d\n");
    CHECK(c.redis({"EXISTS", c.key("d")}) == "0");
    CHECK(c.run({"job", "rm", "d", "--yes"}).status == 1);
    CHECK(c.run({"job", "rm", "run", "--yes"}).output ==
          "tiktrend: the job run or one of its children is running\n");
}

TEST_CASE("a queue is paused, resumed, retried, cleaned and drained", "[integration][tiktrend][queue]") {
    command_line c;
    for (int i = 0; i < 12; ++i) {
        c.add_job("f" + std::to_string(i), "failed");
        c.add_job("c" + std::to_string(i), "completed");
    }
    CHECK(c.run({"pause"}).output == "paused work\n");
    CHECK(c.redis({"HEXISTS", c.key("meta"), "paused"}) == "1");
    CHECK(c.json_of({"resume"}).at("paused") == false);
    CHECK(c.json_of({"retry-failed"}).at("retried") == 12);
    CHECK(c.redis({"LLEN", c.key("wait")}) == "12");

    CHECK(c.run({"clean"}).status == 2);
    CHECK(c.run({"drain"}).status == 2);
    CHECK(c.redis({"ZCARD", c.key("completed")}) == "12");
    CHECK(c.run({"clean", "--yes", "--limit", "5"}).output == "removed 5 jobs\n");
    CHECK(c.json_of({"clean", "--yes", "--state", "completed"}).at("removed") == 7);
    CHECK(c.run({"clean", "--yes", "--state", "waiting-children"}).status == 2);
    CHECK(c.run({"clean", "--yes", "--grace", "-1"}).status == 2);
    c.add_job("d", "delayed");
    CHECK(c.json_of({"drain", "--yes"}).at("removed") == 12);
    CHECK(c.redis({"ZCARD", c.key("delayed")}) == "1");
    CHECK(c.json_of({"drain", "--yes", "--delayed"}).at("removed") == 1);
}

TEST_CASE("long work shows a bar on a terminal only", "[integration][tiktrend][queue]") {
    command_line c;
    for (int i = 0; i < 3; ++i)
        c.add_job("w" + std::to_string(i), "wait");
    CHECK(c.run({"drain", "--yes"}).output == "removed 3 jobs\n");
    for (int i = 0; i < 3; ++i)
        c.add_job("w" + std::to_string(i), "wait");
    const temp_dir dir;
    process::options options;
    options.environment = c.environment();
    options.output = dir.path() / "output";
    const auto status = run({"script", "-qec", tiktrend_program() + " queue drain --yes", "/dev/null"},
                            options); // gives a terminal
    CHECK(status == 0);
    std::ifstream file{options.output};
    const std::string output{std::istreambuf_iterator<char>{file}, {}};
    CHECK_THAT(output, Catch::Contains("[##############################] 100% 3/3") &&
                           Catch::Contains("removed 3 jobs"));
}

TEST_CASE("a flow is shown over its queues", "[integration][tiktrend][queue]") {
    command_line c;
    c.add_job("top", "waiting-children");
    c.redis({"HSET", "bull:kids:k1", "name", "kid"});
    c.redis({"LPUSH", "bull:kids:wait", "k1"});
    c.redis({"HSET", "bull:kids:k2", "name", "kid", "failedReason", "bad"});
    c.redis({"ZADD", "bull:kids:failed", "1", "k2"});
    c.redis({"SADD", c.key("top:dependencies"), "bull:kids:k1"});
    c.redis({"ZADD", c.key("top:unsuccessful"), "1", "bull:kids:k2"});
    const auto flow = c.json_of({"flow", "top"});
    CHECK(flow.at("state") == "waiting-children");
    REQUIRE(flow.at("children").as_array().size() == 2);
    CHECK(flow.at("children").at(0).at("queue") == "bull:kids");
    CHECK(c.run({"flow", "top"}).output == "waiting-children bull:work:top paint\n"
                                           "  waiting bull:kids:k1 kid\n"
                                           "  failed bull:kids:k2 kid: bad\n");
    CHECK_FALSE(c.json_of({"flow", "top", "--depth", "1"}).as_object().contains("children"));
    CHECK(c.run({"flow", "top", "--max-children", "0"}).status == 2);
    CHECK(c.run({"flow", "nobody"}).status == 1);
}

TEST_CASE("schedulers are listed by their next time", "[integration][tiktrend][queue]") {
    command_line c;
    c.add_job("a", "wait");
    c.redis({"ZADD", c.key("repeat"), "1795453995487", "ev", "1795453990000", "nightly"});
    c.redis({"HSET", c.key("repeat:ev"), "name", "tick", "every", "60000", "ic", "2", "data", R"({"a":1})"});
    c.redis({"HSET", c.key("repeat:nightly"), "name", "sum", "pattern", "0 3 * * *", "tz", "Europe/Madrid",
             "ic", "1"});
    const auto found = c.json_of({"schedulers"}).as_array();
    REQUIRE(found.size() == 2);
    CHECK(found[0].at("id") == "nightly");
    CHECK(found[0].at("pattern") == "0 3 * * *");
    CHECK(found[1].at("every") == 60000);
    CHECK(found[1].at("data").at("a") == 1);
    CHECK(found[1].at("iterationCount") == 2);
    const auto text = c.run({"schedulers"}).output;
    CHECK_THAT(text, Catch::Contains("0 3 * * * Europe/Madrid") && Catch::Contains("every 60000 ms") &&
                         Catch::Contains("2026-11-23T"));
}

TEST_CASE("events are listed and followed until the program is stopped", "[integration][tiktrend][queue]") {
    command_line c;
    c.add_job("a", "wait");
    c.redis({"XADD", c.key("events"), "1-1", "event", "added", "jobId", "a", "name", "paint"});
    c.redis({"XADD", c.key("events"), "2-1", "event", "completed", "jobId", "a", "returnvalue", "[1]"});
    CHECK_THAT(c.run({"events"}).output, Catch::StartsWith("1-1 ") && Catch::Contains("\n2-1 "));
    const auto last = c.json_of({"events", "--limit", "1"});
    CHECK(last.at("event") == "completed");
    CHECK(last.at("returnvalue") == json::array{1});
    CHECK(c.json_of({"events", "--from", "1-1"}).at("streamId") == "2-1");
    CHECK(c.run({"events", "--from", "yesterday"}).status == 2);

    const temp_dir dir;
    process::options options;
    options.environment = c.environment();
    options.output = dir.path() / "output";
    process follower{{tiktrend_program(), "queue", "events", "--follow", "--json"}, options};
    const auto output = [&] {
        std::ifstream file{options.output};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    REQUIRE(poll_until([&] { return output().find("2-1") != std::string::npos; }));
    c.redis({"XADD", c.key("events"), "3-1", "event", "failed", "jobId", "b", "failedReason", "bad"});
    REQUIRE(poll_until([&] { return output().find("3-1") != std::string::npos; }));
    follower.signal(SIGINT);
    CHECK(follower.wait(std::chrono::seconds{10}) == 0);
}

TEST_CASE("a queue that does not exist, and a Redis that is away, are errors",
          "[integration][tiktrend][queue]") {
    command_line c;
    const auto missing = c.run({"stats", "-q", "wrok"});
    CHECK(missing.status == 1);
    CHECK(missing.output == "tiktrend: there is no queue \"wrok\" with the prefix \"bull\"\n");
    CHECK(c.run({"stats", "-q", "a:b"}).status == 1);
    CHECK(c.run({"stats", "--redis", "http://x"}).status == 2);
    CHECK(c.run({}).status == 2);
    const auto away = c.run({"stats", "--redis", "redis://:hush@127.0.0.1:" + std::to_string(free_port())});
    CHECK(away.status == 1);
    CHECK_THAT(away.output, Catch::StartsWith("tiktrend: ") && !Catch::Contains("hush"));
}
