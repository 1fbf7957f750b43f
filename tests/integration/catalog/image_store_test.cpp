#include "fixture.hpp"

#include <tiktrend/catalog/image_store.hpp>

using namespace tiktrend;
using namespace tiktrend::catalog;

TEST_CASE("copies of images are noted although a deadlock came in between", "[integration][catalog]") {
    on_database([](postgres::router& r) -> task<void> {
        sql("INSERT INTO products (source, external_id, kind, title, image_url, content_hash, scraped_at) "
            "SELECT 's', n::text, 'product', 't', 'http://x/' || n, 0, now() FROM generate_series(1, 2) n");
        static committed_page written;
        written = {};
        const auto note = [](postgres::router& where) -> task<void> {
            image_store images{where};
            written =
                co_await images.set({{1, "http://x/1", "http://cdn/1"}, {2, "http://x/2", "http://cdn/2"}});
        };
        {
            auto page = co_await r.write().acquire();
            // Whoever has waited longest finds the deadlock and is the one to go: not this one.
            co_await page->execute("BEGIN; SET LOCAL deadlock_timeout = '1min'");
            co_await page->execute("SELECT FROM products WHERE id = 2 FOR UPDATE");
            task_group group{co_await asio::this_coro::executor};
            group.spawn("images", note(r));
            while (
                sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'catalog' AND wait_event_type = "
                    "'Lock'") != "1")
                co_await sleep_for(5ms);
            co_await page->execute("SELECT FROM products WHERE id = 1 FOR UPDATE");
            co_await page->execute("COMMIT");
            co_await group.join();
        }
        CHECK(written.changed.size() == 2);
        CHECK(sql("SELECT count(*) FROM products WHERE image_cdn_url IS NOT NULL") == "2");
    });
}
