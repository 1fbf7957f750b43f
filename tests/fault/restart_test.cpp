#include "stack.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <thread>

using namespace tiktrend;
using namespace std::chrono_literals;
using e2e::text;

namespace {

e2e::stack::options durable() {
    e2e::stack::options o;
    o.durable_queue = true;
    // Short locks, so that a job whose worker lost Redis for a while is found soon.
    o.worker = {{"LOCK_DURATION", "3s"}, {"STALLED_INTERVAL", "2s"}};
    return o;
}

/// Starts scrapes over and over while `fault` happens; the ids of those that were accepted.
std::vector<std::string> start_during(e2e::stack& s, const std::function<void()>& fault) {
    std::vector<std::string> accepted;
    std::atomic<bool> stop{false};
    std::thread client{[&] {
        while (!stop && accepted.size() < 40) {
            const auto r = s.api().post("/scraping/start", s.scrape_body());
            if (r.status == 202)
                accepted.push_back(text(r.json(), "job_id"));
            else
                testing::poll_pause();
        }
    }};
    fault();
    stop = true;
    client.join();
    return accepted;
}

/// Each accepted job is completed, and its effect happened in exactly one successful run.
void check_all_done_once(e2e::stack& s, const std::vector<std::string>& jobs) {
    REQUIRE_FALSE(jobs.empty());
    for (const auto& id : jobs) {
        const auto job = s.wait_for_job(id, 90s);
        INFO(id << ": " << job.body);
        REQUIRE(job.status == 200);
        CHECK(text(job.json(), "state") == "completed");
        CHECK(s.database().execute(
                  "e2e", "SELECT count(*) FROM scrape_runs WHERE status = 'succeeded' AND job_id = '" + id +
                             "'") == "1");
    }
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM products") == "250");
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM (SELECT 1 FROM product_history GROUP BY "
                                      "product_id, scraped_at HAVING count(*) > 1) d") == "0");
    CHECK(s.queue_redis().command({"LLEN", "bull:scraping:active"}) == "0");
}

} // namespace

TEST_CASE("Redis restarted under load loses no accepted job and does none twice", "[fault]") {
    e2e::stack s{durable()};
    const auto jobs = start_during(s, [&] {
        for (int i = 0; i < 3; ++i) {
            const auto done = s.queue_redis().command({"ZCARD", "bull:scraping:completed"});
            testing::poll_until(
                [&] { return s.queue_redis().command({"ZCARD", "bull:scraping:completed"}) != done; }, 10s);
            s.queue_redis().restart();
        }
    });
    check_all_done_once(s, jobs);
}

TEST_CASE("PostgreSQL restarted under load loses no accepted job and does none twice", "[fault]") {
    e2e::stack s{durable()};
    const auto jobs = start_during(s, [&] {
        for (int i = 0; i < 2; ++i) {
            const auto done = s.queue_redis().command({"ZCARD", "bull:scraping:completed"});
            testing::poll_until(
                [&] { return s.queue_redis().command({"ZCARD", "bull:scraping:completed"}) != done; }, 10s);
            s.database().restart();
        }
    });
    check_all_done_once(s, jobs);
}
