#include "stack.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace tiktrend;
using namespace std::chrono_literals;
using e2e::integer;
using e2e::text;

namespace {

/// The shop answers slowly, so that a scrape can be caught in the middle.
void slow_shop(e2e::stack& s) {
    const auto r =
        s.shop().post("/_control", R"({"path":"/api/products","kind":"slow","delay_ms":150,"count":100000})");
    INFO(r.body);
    REQUIRE(r.status / 100 == 2);
}

/// Waits until the job has committed at least one page and is not done.
std::int64_t wait_for_first_page(e2e::stack& s, const std::string& id) {
    std::int64_t page = -1;
    testing::poll_until(
        [&] {
            const auto job = s.api().get("/scraping/jobs/" + id);
            simdjson::dom::element progress;
            if (job.status != 200 || job.json()["progress"].get(progress) != simdjson::SUCCESS ||
                !progress.is_object())
                return false;
            page = integer(progress, "page");
            return page >= 1;
        },
        20s);
    return page;
}

} // namespace

TEST_CASE("a worker killed in mid-job: another one loses no committed page and repeats at most one",
          "[fault]") {
    e2e::stack::options o;
    o.worker = {{"LOCK_DURATION", "2s"}, {"STALLED_INTERVAL", "1s"}};
    e2e::stack s{o};
    slow_shop(s);
    const auto id = s.start_scrape();
    const auto saved = wait_for_first_page(s, id);
    REQUIRE(saved >= 1);
    s.worker().kill();
    auto second = s.start_worker();
    const auto job = s.wait_for_job(id, 60s);
    INFO(job.body);
    REQUIRE(text(job.json(), "state") == "completed");
    CHECK(integer(job.json(), "stalled") == 1);
    CHECK(integer(job.json()["result"], "products_found") == 250);
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM products") == "250");
    // What was committed is not asked for again; of five pages the one under way at most is.
    CHECK(integer(job.json()["result"], "resumed_at") >= saved);
    CHECK(integer(job.json()["result"], "pages") == 5);
    const auto stats = s.shop().get("/_control/stats");
    INFO(stats.body);
    CHECK(integer(stats.json()["requests"], "/api/products") <= 6);
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM product_history") == "250");
}

TEST_CASE("SIGTERM in mid-scrape: the job goes back, spends no attempt and goes on elsewhere", "[fault]") {
    e2e::stack::options o;
    o.worker = {{"DRAIN_TIMEOUT", "2s"}};
    e2e::stack s{o};
    slow_shop(s);
    const auto id = s.start_scrape();
    REQUIRE(wait_for_first_page(s, id) >= 1);
    s.worker().signal(SIGTERM);
    CHECK(s.worker().wait(10s) == 0);
    const auto given_back = s.api().get("/scraping/jobs/" + id);
    const auto state = text(given_back.json(), "state");
    if (state != "completed") { // it may have ended within the soft phase
        CHECK((state == "waiting" || state == "prioritized"));
        CHECK(integer(given_back.json(), "attempts_made") == 0);
        CHECK(integer(given_back.json(), "stalled") == 0);
    }
    auto second = s.start_worker();
    const auto job = s.wait_for_job(id, 60s);
    INFO(job.body);
    CHECK(text(job.json(), "state") == "completed");
    CHECK(integer(job.json(), "attempts_made") == 1);
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM products") == "250");
}
