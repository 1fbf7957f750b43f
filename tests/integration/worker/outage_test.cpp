#include "worker_stack.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/client.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <csignal>
#include <sstream>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {
bool says(const worker_stack& stack, int n, const std::string& word) {
    return testing::poll_until([&] { return stack.log(n).find(word) != std::string::npos; });
}
} // namespace

TEST_CASE("an idle worker ends in time although Redis is gone", "[integration][worker]") {
    worker_stack stack;
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "3s"}});
    REQUIRE(says(stack, 1, "worker_ready"));
    stack.queue_redis().kill();
    stack.cache_redis().kill();
    const auto start = steady::now();
    worker.signal(SIGTERM);
    const auto status = worker.wait(5s);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 0);
    CHECK(steady::now() - start < 3500ms);
}

TEST_CASE("a worker in mid-job ends in time although Redis is gone, and says that a job was left",
          "[integration][worker]") {
    worker_stack stack;
    stack.shop_post("/_control", R"({"path":"/api/products","skip":1,"count":1,"kind":"hang"})");
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "3s"}});
    const auto id = stack.add();
    REQUIRE(testing::poll_until([&] { return stack.progress(id).contains("page"); }));
    stack.queue_redis().kill();
    const auto start = steady::now();
    worker.signal(SIGTERM);
    const auto status = worker.wait(6s);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 1);
    CHECK(steady::now() - start < 3500ms);
}

TEST_CASE("a worker ends in time although PostgreSQL is gone, with its job given back",
          "[integration][worker]") {
    worker_stack stack;
    stack.use_own_database_server();
    stack.shop_post("/_control",
                    R"({"path":"/api/products","skip":1,"count":1,"kind":"slow","delay_ms":1000})");
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "10s"}});
    const auto id = stack.add();
    REQUIRE(testing::poll_until([&] { return stack.progress(id).contains("page"); }));
    stack.database_server().kill();
    const auto start = steady::now();
    worker.signal(SIGTERM);
    const auto status = worker.wait(12s);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 0);
    CHECK(steady::now() - start < 10500ms);
    CHECK((stack.state(id) == "prioritized" || stack.state(id) == "delayed"));
    CHECK(stack.field(id, "atm").empty());
}

TEST_CASE("a worker ends in time although PostgreSQL hangs in mid-commit", "[integration][worker]") {
    worker_stack stack;
    stack.use_own_database_server();
    stack.shop_post("/_control",
                    R"({"path":"/api/products","skip":1,"count":1,"kind":"slow","delay_ms":500})");
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "3s"}, {"DATABASE_POOL_SIZE", "1"}});
    const auto id = stack.add();
    REQUIRE(testing::poll_until([&] { return stack.progress(id).contains("page"); }));
    const auto backend = std::stoi(
        stack.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'tiktrend-worker' LIMIT 1"));
    ::kill(backend, SIGSTOP);
    const auto start = steady::now();
    worker.signal(SIGTERM);
    const auto status = worker.wait(6s);
    ::kill(backend, SIGCONT);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 1); // the job was past its point of no return, so it could not be given back
    CHECK(steady::now() - start < 3500ms);
    CHECK(stack.state(id) == "active"); // the stalled check finds it
}

TEST_CASE("a database that goes and comes back costs a job no attempt and no page", "[integration][worker]") {
    worker_stack stack;
    stack.use_own_database_server();
    stack.shop_post("/_control",
                    R"({"path":"/api/products","skip":2,"count":1,"kind":"slow","delay_ms":500})");
    const auto worker = stack.start_worker({{"DATABASE_ACQUIRE_TIMEOUT", "300ms"}});
    const auto id = stack.add();
    REQUIRE(testing::poll_until(
        [&] { return stack.progress(id).contains("page") && stack.progress(id).at("page") == 2; }));
    stack.database_server().kill();
    REQUIRE(stack.wait_for_state(id, "delayed"));
    CHECK(stack.field(id, "atm").empty());
    stack.database_server().start();
    REQUIRE(stack.wait_for_state(id, "completed", 60s));
    INFO(boost::json::serialize(stack.result(id)));
    CHECK(stack.result(id).at("products_found") == 250);
    CHECK(stack.field(id, "atm") == "1");
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");
}

namespace {

/// Ends the connection that jobs ask their questions on, and lets nobody connect until the job is put off;
/// the worker's own stays.
task<void> keep_job_from_redis(worker_stack& stack, std::string id, bool& was_put_off) {
    redis::client c{co_await asio::this_coro::executor,
                    redis::parse_url(stack.queue_redis().unix_url()).value()};
    c.start();
    co_await c.wait_connected(5s);
    const redis::command list{"CLIENT", "LIST"};
    const auto all = co_await c.exec(list);
    std::istringstream clients{std::string{all.text()}};
    std::string its;
    int n = 0;
    for (std::string line; std::getline(clients, line);) {
        ++n;
        if (line.find(" name=tiktrend-worker ") == std::string::npos) continue;
        its = line.substr(line.find("id=") + 3, line.find(' ') - 3);
    }
    const std::vector<redis::command> cut{redis::command{"CLIENT", "KILL", "ID", its},
                                          redis::command{"CONFIG", "SET", "maxclients", n - 1},
                                          redis::command{"HDEL", "bull:scraping:meta", "paused"}};
    for (const auto& reply : co_await c.exec_all(cut))
        CHECK_FALSE(reply.is_error());
    const redis::command place{"ZSCORE", "bull:scraping:delayed", id};
    for (const auto give_up = steady::now() + 15s; !was_put_off && steady::now() < give_up;) {
        co_await sleep_for(10ms);
        was_put_off = !(co_await c.exec(place)).is_nil();
    }
    const redis::command open{"CONFIG", "SET", "maxclients", 10'000};
    co_await c.exec(open);
    co_await c.stop();
}

} // namespace

TEST_CASE("a job that cannot ask Redis for a moment waits, and spends no attempt", "[integration][worker]") {
    worker_stack stack;
    worker_stack::job_order once;
    once.attempts = 1;
    stack.queue_redis().command({"HSET", "bull:scraping:meta", "paused", "1"});
    const auto id = stack.add(once);
    stack.queue_redis().command({"HSET", "bull:scraping:" + id, "ats", "1"}); // it was started before
    const auto worker = stack.start_worker();
    REQUIRE(says(stack, 1, "worker_ready"));
    bool was_put_off = false;
    testing::run_coroutine(keep_job_from_redis(stack, id, was_put_off));
    INFO(stack.log(1));
    CHECK(was_put_off);
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(stack.field(id, "atm") == "1");
}

TEST_CASE("a cache that goes does not hold up a scrape, and is cleared once it is back",
          "[integration][worker]") {
    worker_stack stack;
    stack.cache_redis().stop();
    const auto worker = stack.start_worker();
    const auto id = stack.add();
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(stack.ask_worker(1, "/metrics").find("cache_invalidation_failures_total 0") == std::string::npos);
    stack.cache_redis().start();
    CHECK(testing::poll_until([&] { return stack.log(1).find("cache_cleared") != std::string::npos; }, 30s));
    CHECK(stack.cache_redis().command({"EXISTS", "cache:i:{products}:era"}) == "1");
}

TEST_CASE("a worker that starts before its servers waits for them", "[integration][worker]") {
    worker_stack stack;
    stack.use_own_database_server();
    const auto id = stack.add();
    stack.database_server().stop();
    const auto worker = stack.start_worker();
    REQUIRE(says(stack, 1, "\"waiting\""));
    CHECK(stack.ask_worker(1, "/health/ready").find("waiting for the database") != std::string::npos);
    CHECK(stack.state(id) == "prioritized"); // it takes no job that it could not finish
    stack.database_server().start();
    CHECK(stack.wait_for_state(id, "completed"));
    CHECK(stack.ask_worker(1, "/health/ready").find(R"("status":"ok")") != std::string::npos);
}
