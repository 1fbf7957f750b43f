#include "worker_stack.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

/// Page 3 and what follows take long, so that a signal comes in mid-scrape.
void make_page_three_slow(const worker_stack& stack, int delay_ms = 60'000) {
    stack.shop_post("/_control", R"({"path":"/api/products","skip":2,"count":1,"kind":"slow","delay_ms":)" +
                                     std::to_string(delay_ms) + "}");
}

bool wait_for_page(const worker_stack& stack, const std::string& id, int page) {
    return testing::poll_until([&] {
        const auto p = stack.progress(id);
        return p.contains("page") && p.at("page") == page;
    });
}

} // namespace

TEST_CASE("a worker told to stop in mid-scrape gives the job back, another goes on at the saved page",
          "[integration][worker]") {
    worker_stack stack;
    make_page_three_slow(stack);
    auto first = stack.start_worker({{"DRAIN_TIMEOUT", "4s"}});
    const auto id = stack.add();
    REQUIRE(wait_for_page(stack, id, 2));

    const auto start = steady::now();
    first.signal(SIGTERM);
    const auto status = first.wait(6s);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 0);
    CHECK(steady::now() - start < 4s);
    CHECK(steady::now() - start > 1500ms); // the soft phase was given
    CHECK(stack.state(id) == "prioritized");
    CHECK(stack.field(id, "atm").empty()); // no attempt spent
    CHECK(stack.field(id, "stc").empty()); // no stall counted
    CHECK(stack.sql("SELECT count(*) FROM products") == "100");
    CHECK(stack.sql("SELECT status, pages FROM scrape_runs") == "interrupted|2");

    const auto second = stack.start_worker();
    REQUIRE(stack.wait_for_state(id, "completed"));
    const auto result = stack.result(id);
    INFO(boost::json::serialize(result));
    CHECK(result.at("resumed_at") == 2);
    CHECK(result.at("requests") == 3); // pages 3, 4 and 5
    CHECK(result.at("pages") == 5);
    CHECK(result.at("products_found") == 250);
    CHECK(result.at("products_changed") == 250);
    CHECK(stack.field(id, "atm") == "1");
    CHECK(stack.sql("SELECT count(*) FROM products") == "250");
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");
}

TEST_CASE("a job that ends in the soft phase is finished, not given back", "[integration][worker]") {
    worker_stack stack;
    make_page_three_slow(stack, 1000);
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "20s"}});
    const auto id = stack.add();
    REQUIRE(wait_for_page(stack, id, 2));
    const auto waiting = stack.add();
    worker.signal(SIGTERM);
    const auto status = worker.wait(10s);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 0);
    CHECK(stack.state(id) == "completed");
    CHECK(stack.result(id).at("products_found") == 250);
    CHECK((stack.state(waiting) == "prioritized" || stack.state(waiting) == "completed"));
}

TEST_CASE("a second signal cancels at once", "[integration][worker]") {
    worker_stack stack;
    make_page_three_slow(stack);
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "60s"}});
    const auto id = stack.add();
    REQUIRE(wait_for_page(stack, id, 2));
    worker.signal(SIGTERM);
    REQUIRE(testing::poll_until([&] { return stack.log(1).find("\"draining\"") != std::string::npos; }));
    const auto start = steady::now();
    worker.signal(SIGTERM);
    const auto status = worker.wait(5s);
    INFO(stack.log(1));
    REQUIRE(status.has_value());
    CHECK(*status == 0);
    CHECK(steady::now() - start < 3s);
    CHECK(stack.state(id) == "prioritized");
    CHECK(stack.field(id, "atm").empty());
}

TEST_CASE("a draining worker says so and stays alive for the operator", "[integration][worker]") {
    worker_stack stack;
    make_page_three_slow(stack);
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "60s"}});
    const auto id = stack.add();
    REQUIRE(wait_for_page(stack, id, 2));
    worker.signal(SIGTERM);
    REQUIRE(testing::poll_until(
        [&] { return stack.ask_worker(1, "/metrics").find("worker_draining 1") != std::string::npos; }));
    CHECK(stack.ask_worker(1, "/metrics").find("worker_active_jobs 1") != std::string::npos);
    CHECK(stack.ask_worker(1, "/health/live").find("ok") != std::string::npos);
    CHECK(stack.ask_worker(1, "/health/ready").find("draining") != std::string::npos);
    worker.signal(SIGINT);
    CHECK(worker.wait(5s) == 0);
}

TEST_CASE("an idle worker ends at once", "[integration][worker]") {
    worker_stack stack;
    auto worker = stack.start_worker({{"DRAIN_TIMEOUT", "105s"}});
    REQUIRE(testing::poll_until([&] { return stack.log(1).find("worker_ready") != std::string::npos; }));
    const auto start = steady::now();
    worker.signal(SIGINT);
    CHECK(worker.wait(5s) == 0);
    CHECK(steady::now() - start < 2s);
}

TEST_CASE("what a killed worker held is finished elsewhere, each effect once", "[integration][worker]") {
    worker_stack stack;
    make_page_three_slow(stack);
    const environment quick{{"LOCK_DURATION", "1s"}, {"STALLED_INTERVAL", "500ms"}};
    auto first = stack.start_worker(quick);
    const auto id = stack.add();
    REQUIRE(wait_for_page(stack, id, 2));
    first.kill();

    const auto second = stack.start_worker(quick);
    REQUIRE(stack.wait_for_state(id, "completed"));
    const auto result = stack.result(id);
    INFO(boost::json::serialize(result) << stack.log(2));
    CHECK(result.at("resumed_at") == 2);
    CHECK(result.at("products_found") == 250);
    CHECK(stack.field(id, "stc") == "1");
    CHECK(stack.sql("SELECT count(*) FROM products") == "250");
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");
    REQUIRE(testing::poll_until([&] {
        return stack.ask_worker(2, "/metrics").find("bullmq_jobs_stalled_total{queue=\"scraping\"} 1") !=
               std::string::npos;
    }));
}
