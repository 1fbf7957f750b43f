#include "fixture.hpp"

using namespace tiktrend;
using namespace tiktrend::catalog;

TEST_CASE("an interrupted job goes on at the saved page", "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        CHECK_FALSE(co_await store.resume("1", noon));
        const auto begun = co_await store.start_run(job("1", 1), "demo.shop");
        REQUIRE(begun);
        CHECK(begun->cursor.empty());
        CHECK(begun->pages == 0);
        REQUIRE(co_await store.commit_page(job("1", 1), page_of({item(1), item(2)}, 1)));
        REQUIRE(co_await store.commit_page(job("1", 1), page_of({item(3)}, 2)));
        REQUIRE(co_await store.finish_run(job("1", 1), run_status::interrupted));

        const auto second = co_await store.start_run(job("1", 2), "demo.shop");
        REQUIRE(second);
        CHECK(second->attempt == 2);
        CHECK(second->cursor == "page=3");
        CHECK(second->pages == 2);
        CHECK(second->products_found == 3);
        CHECK(second->products_changed == 3);
        REQUIRE(co_await store.commit_page(job("1", 2), page_of({item(4)}, 3)));
        const auto done = co_await store.finish_run(job("1", 2), run_status::succeeded);
        REQUIRE(done);
        CHECK(done->products_found == 4);
        CHECK(sql("SELECT string_agg(attempt || ' ' || status || ' ' || pages, ', ' ORDER BY attempt) FROM "
                  "scrape_runs") == "1 interrupted 2, 2 succeeded 3");
        CHECK(sql("SELECT count(*) FROM scrape_runs WHERE finished_at >= started_at") == "2");
    });
}

TEST_CASE("a zombie attempt can write nothing", "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.start_run(job("1", 1), "demo.shop"));
        REQUIRE(co_await store.commit_page(job("1", 1), page_of({item(1)}, 1)));
        REQUIRE(
            co_await store.start_run(job("1", 2), "demo.shop")); // the job was found stalled and taken over

        const auto late = co_await store.commit_page(job("1", 1), page_of({item(2, "66.66", noon + 9)}, 2));
        CHECK(late.error() == catalog::errc::fenced);
        CHECK((co_await store.finish_run(job("1", 1), run_status::failed, "late")).error() ==
              catalog::errc::fenced);
        CHECK((co_await store.start_run(job("1", 1), "demo.shop")).error() == catalog::errc::fenced);
        CHECK(sql("SELECT count(*) FROM products") == "1");
        CHECK(sql("SELECT status FROM scrape_runs WHERE attempt = 1") == "running");

        // A newer attempt may also show up with its first page.
        REQUIRE(co_await store.commit_page(job("1", 3), page_of({item(3)}, 2)));
        CHECK((co_await store.commit_page(job("1", 2), page_of({item(4)}, 2))).error() ==
              catalog::errc::fenced);
    });
}

TEST_CASE("a finished job is not done again", "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.commit_page(job("1", 1), page_of({item(1)}, 1)));
        REQUIRE(co_await store.finish_run(job("1", 1), run_status::succeeded));
        REQUIRE(co_await store.finish_run(job("1", 1), run_status::succeeded)); // its answer was lost

        // The worker died before it could tell the queue; the job is run again and reports what there is.
        const auto again = co_await store.start_run(job("1", 2), "demo.shop");
        REQUIRE(again);
        CHECK(again->status == run_status::succeeded);
        CHECK(again->products_found == 1);
        CHECK((co_await store.commit_page(job("1", 2), page_of({item(2)}, 2))).error() ==
              catalog::errc::already_finished);
        CHECK((co_await store.finish_run(job("1", 2), run_status::failed, "no")).error() ==
              catalog::errc::already_finished);
        CHECK((co_await store.finish_run(job("1", 1), run_status::failed, "no")).error() ==
              catalog::errc::already_finished);
        CHECK(sql("SELECT count(*) FROM scrape_runs WHERE status = 'succeeded'") == "1");
        CHECK(sql("SELECT count(*) FROM products") == "1");
    });
}

TEST_CASE("a page handed in twice is written once", "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        const auto page = page_of({item(1)}, 1);
        const auto first = co_await store.commit_page(job("1"), page);
        REQUIRE(first);
        const auto second = co_await store.commit_page(job("1"), page);
        REQUIRE(second);
        CHECK(second->is_replay);
        CHECK(second->changed.empty());
        CHECK(second->totals.pages == 1);
        CHECK(second->totals.products_found == 1);
        CHECK(second->totals.products_changed == 1);
        CHECK(second->totals.cursor == "page=2");
        CHECK(second->lsn >= first->lsn);
    });
}

TEST_CASE("a failed attempt keeps its reason, and the next one its place", "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.start_run(job("1", 1), "demo.shop"));
        REQUIRE(co_await store.commit_page(job("1", 1), page_of({item(1)}, 1)));
        REQUIRE(co_await store.finish_run(job("1", 1), run_status::failed, "HTTP 500 \xff"));
        CHECK(sql("SELECT error FROM scrape_runs") == "HTTP 500 \xEF\xBF\xBD");
        // Taken again under the same number it runs again.
        const auto again = co_await store.start_run(job("1", 1), "demo.shop");
        REQUIRE(again);
        CHECK(again->status == run_status::running);
        CHECK(again->pages == 1);
        CHECK(sql("SELECT error FROM scrape_runs") == "(null)");
        CHECK((co_await store.finish_run(job("nobody", 1), run_status::failed)).error() ==
              catalog::errc::not_started);
    });
}

TEST_CASE("a job id used again by a new Redis is another job", "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.commit_page(job("1", 7), page_of({item(1)}, 1)));
        REQUIRE(co_await store.finish_run(job("1", 7), run_status::succeeded));
        auto newer = job("1", 1);
        newer.job_timestamp_ms += 1;
        const auto begun = co_await store.start_run(newer, "demo.shop");
        REQUIRE(begun);
        CHECK(begun->status == run_status::running);
        CHECK(begun->pages == 0);
    });
}

TEST_CASE("attempts of one job that arrive at the same time pass one after the other",
          "[integration][catalog][runs]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        int committed = 0;
        const auto attempt = [](product_store& s, int n, int& good) -> task<void> {
            const auto page = page_of({item(n, "1.00", noon + n)}, 1);
            const auto done = co_await s.commit_page(job("1", n), page);
            if (done && !done->is_replay) ++good;
            if (!done) CHECK(done.error() == catalog::errc::fenced);
        };
        task_group group{co_await asio::this_coro::executor};
        for (int n = 1; n <= 6; ++n)
            group.spawn("attempt", attempt(store, n, committed));
        co_await group.join();
        CHECK(committed == 1); // page 1 of the job, whoever came first
        CHECK(sql("SELECT count(*) FROM products") == "1");
    });
}
