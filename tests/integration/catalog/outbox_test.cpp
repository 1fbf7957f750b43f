#include "fixture.hpp"

#include <tiktrend/catalog/outbox_store.hpp>

using namespace tiktrend;
using namespace tiktrend::catalog;
using namespace std::chrono_literals;

namespace {

std::vector<outbox_job> some_jobs(int count) {
    std::vector<outbox_job> out;
    for (int i = 0; i < count; ++i)
        out.push_back(
            {"job-" + std::to_string(i), "scrape_products", R"({"n":)" + std::to_string(i) + '}', "{}"});
    return out;
}

task<void> claim_all(outbox_store& store, std::vector<std::string>& got) {
    for (;;) {
        const auto rows = co_await store.claim(3, 1min);
        if (rows.empty()) co_return;
        for (const auto& row : rows)
            got.push_back(row.job_id);
    }
}

} // namespace

TEST_CASE("relays that claim at the same time never get the same job", "[integration][catalog][outbox]") {
    on_database([](postgres::router& r) -> task<void> {
        outbox_store store{r, "bull:scraping"};
        co_await store.insert(some_jobs(50), 0ms);
        std::vector<std::string> got;
        task_group group{co_await asio::this_coro::executor};
        for (int i = 0; i < 4; ++i)
            group.spawn("claim", claim_all(store, got));
        co_await group.join();
        CHECK(got.size() == 50);
        std::sort(got.begin(), got.end());
        CHECK(std::adjacent_find(got.begin(), got.end()) == got.end());
    });
}

TEST_CASE("a job stays in the outbox until it is removed, and is due when its time has come",
          "[integration][catalog][outbox]") {
    on_database([](postgres::router& r) -> task<void> {
        outbox_store store{r, "bull:scraping"};
        outbox_store other{r, "bull:other"};
        co_await store.insert(some_jobs(2), 1min);
        co_await store.insert(some_jobs(3), 0ms); // two are there already, and stay as they were
        CHECK(sql("SELECT count(*) FROM job_outbox") == "3");
        CHECK((co_await other.claim(10, 1min)).empty());
        auto due = co_await store.claim(10, 1min);
        REQUIRE(due.size() == 1);
        CHECK(due[0].job_id == "job-2");
        CHECK(due[0].data == R"({"n":2})");
        CHECK_FALSE(due[0].was_relayed);
        CHECK((co_await store.measure()).waiting == 3);

        co_await store.mark_relayed(std::vector<std::string>(1, "job-2"), 1min);
        CHECK((co_await store.claim(10, 1min)).empty());
        CHECK((co_await store.measure()).waiting == 2);
        co_await store.make_all_due(); // what the queue had; the others are on their way there
        due = co_await store.claim(10, 0ms);
        REQUIRE(due.size() == 1);
        CHECK(due[0].was_relayed);
        CHECK_FALSE(due[0].has_succeeded);
        sql("INSERT INTO scrape_runs (job_id, job_timestamp_ms, attempt, source, status) "
            "VALUES ('job-2', 1, 1, 'demo.shop', 'succeeded')");
        due = co_await store.claim(10, 0ms);
        REQUIRE(due.size() == 1);
        CHECK(due[0].has_succeeded);

        co_await store.release(std::vector<std::string>(1, "job-0"));
        CHECK((co_await store.claim(10, 1min)).size() == 2);
        std::vector<std::string> two;
        two.push_back("job-0");
        two.push_back("job-2");
        co_await store.remove(std::move(two));
        CHECK(sql("SELECT string_agg(job_id, ',') FROM job_outbox") == "job-1");
    });
}

TEST_CASE("a job that is held cannot be forgotten, and what is forgotten is not held",
          "[integration][catalog][outbox]") {
    on_database([](postgres::router& r) -> task<void> {
        outbox_store store{r, "bull:scraping"};
        co_await store.insert(some_jobs(3), 0ms);
        co_await store.remove(std::vector<std::string>(1, "job-1"));
        std::vector<std::string> all;
        for (int i = 0; i < 3; ++i)
            all.push_back("job-" + std::to_string(i));
        auto held = co_await store.hold_wanted(std::move(all));
        CHECK(held.job_ids() == std::vector<std::string>{"job-0", "job-2"});
        bool is_gone = false;
        task_group group{co_await asio::this_coro::executor};
        group.spawn("forget", [](outbox_store& s, bool& done) -> task<void> {
            co_await s.remove(std::vector<std::string>(1, "job-0"));
            done = true;
        }(store, is_gone));
        // Until it waits for the lock; then nothing but the end of the hold lets it go on.
        const auto is_waiting = [] {
            return sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "1";
        };
        for (int i = 0; i < 2000 && !is_waiting(); ++i)
            co_await sleep_for(5ms);
        CHECK(is_waiting());
        CHECK_FALSE(is_gone);
        co_await held.end();
        co_await group.join();
        CHECK(is_gone);
        CHECK(sql("SELECT string_agg(job_id, ',') FROM job_outbox") == "job-2");
    });
}

TEST_CASE("the ledger's failed attempts of a job are told", "[integration][catalog][outbox]") {
    on_database([](postgres::router& r) -> task<void> {
        outbox_store store{r, "bull:scraping"};
        co_await store.insert(some_jobs(1), 0ms);
        sql("INSERT INTO scrape_runs (job_id, job_timestamp_ms, attempt, source, status) VALUES "
            "('job-0', 1, 1, 'demo.shop', 'failed'), ('job-0', 1, 2, 'demo.shop', 'interrupted'), "
            "('job-0', 1, 3, 'demo.shop', 'failed')");
        const auto due = co_await store.claim(10, 0ms);
        REQUIRE(due.size() == 1);
        CHECK(due[0].failed_attempts == 2);
        CHECK_FALSE(due[0].has_succeeded);
    });
}
