#include "fixture.hpp"

#include <tiktrend/catalog/page_cache.hpp>

using namespace tiktrend;
using namespace tiktrend::catalog;
using namespace std::string_literals;

TEST_CASE("a page is stored with everything the scrape knows", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        auto p = item(1, "19.90");
        p.description = "naïve \"quotes\" {braces} \\ and NULL";
        p.url = "https://shop.example/1";
        p.image_url = "https://shop.example/1.png";
        p.price_max = "24.00";
        p.sales_7d = 12;
        p.sales_total = 9'000'000'000;
        p.rating = 4.1;
        p.review_count = 87;
        p.trend_score = 0.1;
        p.attributes = R"({"tags": ["a", "b"], "nul": "x\u0000y"})";
        const auto page = page_of({p});
        const auto done = co_await store.commit_page(job("1"), page);
        REQUIRE(done);
        REQUIRE(done->changed.size() == 1);
        CHECK(done->changed[0].is_new);
        CHECK(done->changed[0].external_id == "item-00001");
        CHECK(done->lsn > postgres::lsn{});
        CHECK_FALSE(done->is_replay);

        const auto found = co_await store.get(done->changed[0].id);
        REQUIRE(found.value);
        const auto& got = *found.value;
        CHECK(found.point.covers(done->lsn));
        CHECK(got.title == p.title);
        CHECK(got.description == p.description);
        CHECK(got.category == "Odd");
        CHECK(got.price_min == "19.90");
        CHECK(got.price_max == "24.00");
        CHECK(got.sales_total == 9'000'000'000);
        CHECK(got.rating == 4.1);
        CHECK(got.trend_score == 0.1);
        CHECK(got.attributes == R"({"nul": "xy", "tags": ["a", "b"]})");
        CHECK(got.scraped_at_ms == noon);
        CHECK_FALSE(got.image_cdn_url);
        CHECK_FALSE((co_await store.get(got.id + 1)).value);
        const auto history = co_await store.history(got.id);
        REQUIRE(history.value.size() == 1);
        CHECK(history.value[0].price_min == "19.90");
        CHECK(history.value[0].scraped_at_ms == noon);
    });
}

TEST_CASE("what is unchanged is skipped, what changed is written with history",
          "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        const auto first = co_await store.commit_page(job("1"), page_of({item(1), item(2), item(3)}));
        REQUIRE(first);
        const auto before =
            sql("SELECT string_agg(xmin || ' ' || ctid, ' ' ORDER BY id) FROM products WHERE id <> 2");
        const auto later = noon + 60'000;
        const auto second = co_await store.commit_page(
            job("2"), page_of({item(1, "10.00", later), item(2, "9.50", later), item(3, "10.00", later)}));
        REQUIRE(second);
        REQUIRE(second->changed.size() == 1);
        CHECK(second->changed[0].external_id == "item-00002");
        CHECK_FALSE(second->changed[0].is_new);
        CHECK(second->totals.products_found == 3);
        CHECK(second->totals.products_changed == 1);
        // Not even locked: the rows are the very same versions.
        CHECK(sql("SELECT string_agg(xmin || ' ' || ctid, ' ' ORDER BY id) FROM products WHERE id <> 2") ==
              before);
        CHECK(sql("SELECT count(*) FROM product_history") == "4");
    });
}

TEST_CASE("once pages turn out to be known only what changed is sent, with the same effect",
          "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        const auto visit = [](product_store& s, int n,
                              std::vector<scraped_product> products) -> task<committed_page> {
            for (auto& p : products)
                p.scraped_at_ms = noon + n;
            const auto page = page_of(std::move(products));
            const auto done = co_await s.commit_page(job(std::to_string(n)), page);
            REQUIRE(done);
            co_return *done;
        };
        CHECK((co_await visit(store, 1, {item(1), item(2), item(3), item(4)})).changed.size() == 4);
        CHECK((co_await visit(store, 2, {item(1), item(2), item(3), item(4)})).changed.empty());
        // From here on the store asks by hash first.
        const auto known = co_await visit(store, 3, {item(4), item(3), item(2), item(1)});
        CHECK(known.changed.empty());
        CHECK(known.totals.products_found == 4);
        CHECK(known.totals.pages == 1);

        auto fresh = item(5);
        fresh.category = "New";
        const auto mixed = co_await visit(store, 4, {item(1), item(2, "2.00"), fresh, item(4)});
        REQUIRE(mixed.changed.size() == 2);
        CHECK(mixed.changed[0].external_id == "item-00002");
        CHECK(mixed.changed[1].external_id == "item-00005");
        CHECK(mixed.changed[1].is_new);
        CHECK(mixed.totals.products_changed == 2);
        CHECK(sql("SELECT c.name FROM products p JOIN categories c ON c.id = category_id WHERE external_id = "
                  "'item-00005'") == "New");
        CHECK(sql("SELECT count(*) FROM product_history") == "6");
        // A late answer of an older scrape is known to be late without being sent.
        CHECK((co_await visit(store, 0, {item(2, "0.50"), item(3)})).changed.empty());
        CHECK(sql("SELECT price_min FROM products WHERE external_id = 'item-00002'") == "2.00");
        CHECK(sql("SELECT source FROM scrape_runs WHERE job_id = '3'") == "demo.shop");
    });
}

TEST_CASE("an unchanged product is touched once in a while, without history",
          "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.commit_page(job("1"), page_of({item(1)})));
        const auto updated = sql("SELECT last_updated FROM products");
        const auto much_later = noon + 2 * 3'600'000;
        const auto done = co_await store.commit_page(job("2"), page_of({item(1, "10.00", much_later)}));
        REQUIRE(done);
        CHECK(done->changed.empty());
        CHECK(done->totals.products_changed == 0);
        CHECK(sql("SELECT (extract(epoch FROM scraped_at) * 1000)::bigint FROM products") ==
              std::to_string(much_later));
        CHECK(sql("SELECT last_updated FROM products") == updated);
        CHECK(sql("SELECT count(*) FROM product_history") == "1");
    });
}

TEST_CASE("an older scrape never overwrites a newer one", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.commit_page(job("new"), page_of({item(1, "12.00", noon)})));
        const auto late = co_await store.commit_page(job("old"), page_of({item(1, "11.00", noon - 1)}));
        REQUIRE(late);
        CHECK(late->changed.empty());
        CHECK(sql("SELECT price_min FROM products") == "12.00");
        CHECK(sql("SELECT count(*) FROM product_history") == "1");
        // The same moment is not newer either.
        REQUIRE(co_await store.commit_page(job("same"), page_of({item(1, "13.00", noon)})));
        CHECK(sql("SELECT price_min FROM products") == "12.00");
    });
}

TEST_CASE("of a product that is on the page twice the newest is stored", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        const auto done = co_await store.commit_page(
            job("1"),
            page_of({item(1, "3.00", noon + 5), item(1, "1.00", noon), item(1, "2.00", noon + 5), item(2)}));
        REQUIRE(done);
        CHECK(done->changed.size() == 2);
        CHECK(sql("SELECT price_min FROM products WHERE external_id = 'item-00001'") ==
              "2.00"); // newest, last on the page
        CHECK(sql("SELECT count(*) FROM product_history") == "2");
    });
}

TEST_CASE("bad values are left out, the rest of the page is stored", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        auto broken = item(1, "cheap");
        broken.currency = "euro";
        broken.rating = std::numeric_limits<double>::infinity();
        broken.title = "bad \xff bytes and a NUL \0 inside"s;
        auto nameless = item(2);
        nameless.external_id.clear();
        const auto done = co_await store.commit_page(job("1"), page_of({broken, nameless, item(3)}));
        REQUIRE(done);
        CHECK(done->changed.size() == 2);
        CHECK(done->totals.products_found == 3);
        CHECK(
            sql("SELECT title, price_min, currency, rating FROM products WHERE external_id = 'item-00001'") ==
            "bad \xEF\xBF\xBD bytes and a NUL  inside|(null)|(null)|(null)");
    });
}

TEST_CASE("a page is stored whole or not at all", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        auto broken = item(3);
        broken.category = "New category";
        broken.attributes = "[1]"; // the schema asks for an object
        std::string state;
        try {
            (void)co_await store.commit_page(job("1"), page_of({item(1), item(2), broken}));
        } catch (const postgres::server_error& e) {
            state = e.sqlstate();
            CHECK(e.constraint() == "products_attributes_check");
        }
        CHECK(state == "23514");
        CHECK(sql("SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM product_history), (SELECT "
                  "count(*) FROM "
                  "scrape_runs), (SELECT count(*) FROM categories)") == "0|0|0|0");
        // The same page, repaired, goes through: nothing is half remembered.
        broken.attributes = "{}";
        const auto done = co_await store.commit_page(job("1"), page_of({item(1), item(2), broken}));
        REQUIRE(done);
        CHECK(done->changed.size() == 3);
        CHECK(sql("SELECT count(*) FROM products WHERE category_id IS NULL") == "0");
    });
}

TEST_CASE("categories are shared and use up no ids when known", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        for (int i = 1; i <= 3; ++i) {
            product_store store{r}; // knows nothing, as another worker would not
            auto p = page_of({item(2 * i), item(2 * i + 1)});
            REQUIRE(co_await store.commit_page(job(std::to_string(i)), p));
        }
        product_store store{r};
        const auto all = (co_await store.categories()).value;
        REQUIRE(all.size() == 2);
        CHECK(all[0].name == "Even");
        CHECK(all[1].name == "Odd");
        CHECK(sql("SELECT max(id) FROM categories") == "2");
    });
}

TEST_CASE("an empty page moves the ledger on", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        auto page = page_of({});
        page.found = 40; // answered with 304
        const auto done = co_await store.commit_page(job("1"), page);
        REQUIRE(done);
        CHECK(done->totals.pages == 1);
        CHECK(done->totals.products_found == 40);
        CHECK(done->totals.cursor == "page=2");
    });
}

TEST_CASE("what a visit left for the next one is stored with the page", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        page_cache cache{r};
        const std::string url = "https://shop.example/products.json?page=1&x=" + std::string(5000, 'y');
        CHECK_FALSE(co_await cache.find(url));
        auto page = page_of({item(1)});
        page.cache.emplace();
        page.cache->url = url;
        page.cache->etag = "W/\"a\"";
        page.cache->digest = "d1";
        page.cache->found = 1;
        page.cache->fetched_at_ms = noon;
        REQUIRE(co_await store.commit_page(job("1"), page));
        const auto first = co_await cache.find(url);
        REQUIRE(first);
        CHECK(first->etag == "W/\"a\"");
        CHECK_FALSE(first->last_modified);
        CHECK(first->found == 1);
        CHECK(first->fetched_at_ms == noon);

        page.cache->etag.reset();
        page.cache->last_modified = "Mon, 23 Nov 2026 10:00:00 GMT \xe9"; // Latin-1, as servers send it
        page.cache->fetched_at_ms = noon + 1;
        REQUIRE(co_await store.commit_page(job("2"), page));
        page.cache->digest = "stale";
        page.cache->fetched_at_ms = noon; // a late writer does not turn it back
        REQUIRE(co_await store.commit_page(job("3"), page));
        const auto second = co_await cache.find(url);
        REQUIRE(second);
        CHECK_FALSE(second->etag);
        CHECK(second->digest == "d1");
        CHECK(second->last_modified == "Mon, 23 Nov 2026 10:00:00 GMT \xEF\xBF\xBD");
    });
}

TEST_CASE("writers of the same thousand products in opposite order both get through",
          "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        // Each page holds all keys; the writers' lists run in opposite directions.
        const auto write = [](postgres::router& router, int writer, int rounds) -> task<void> {
            product_store store{router};
            for (int round = 1; round <= rounds; ++round) {
                std::vector<scraped_product> products;
                for (int i = 0; i < 1000; ++i)
                    products.push_back(item(writer % 2 ? 999 - i : i, fmt::format("{}.{:02}", round, writer),
                                            noon + round * 10 + writer));
                const auto page = page_of(std::move(products), round);
                const auto done = co_await store.commit_page(job(fmt::format("writer-{}", writer)), page);
                CHECK(done.has_value());
            }
        };
        task_group group{co_await asio::this_coro::executor};
        for (int w = 0; w < 4; ++w)
            group.spawn("writer", write(r, w, 5));
        co_await group.join();
        CHECK(sql("SELECT count(*), count(DISTINCT price_min), min(price_min) FROM products") ==
              "1000|1|5.03");
        CHECK(sql("SELECT count(*) FROM scrape_runs WHERE pages = 5 AND products_found = 5000") == "4");
        // History holds exactly the changes that were written, none twice.
        CHECK(sql("SELECT sum(products_changed) = (SELECT count(*) FROM product_history) FROM scrape_runs") ==
              "t");
        CHECK(sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'catalog'") == "0");
    });
}

TEST_CASE("a real deadlock is survived by trying the whole page again", "[integration][catalog][commit]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        REQUIRE(co_await store.commit_page(job("0"), page_of({item(1), item(2)})));
        // Somebody else locks in the wrong order: 2 first, then - while the page waits for 2 - 1.
        auto other = co_await r.write().acquire();
        co_await other->execute("SET deadlock_timeout = '10s'"); // so that the page is the victim
        co_await other->execute("BEGIN; UPDATE products SET title = 'x' WHERE external_id = 'item-00002'");
        std::optional<result<committed_page>> done;
        const auto write = [](product_store& s, std::optional<result<committed_page>>& out) -> task<void> {
            const auto page = page_of({item(1, "1.00", noon + 1), item(2, "2.00", noon + 1)});
            out = co_await s.commit_page(job("1"), page);
        };
        task_group group{co_await asio::this_coro::executor};
        group.spawn("write", write(store, done));
        while (sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0")
            co_await sleep_for(1ms);
        co_await other->execute(
            "UPDATE products SET title = 'x' WHERE external_id = 'item-00001'"); // a cycle
        co_await other->execute("ROLLBACK; RESET deadlock_timeout");
        co_await group.join();
        REQUIRE(done);
        REQUIRE(*done);
        CHECK((*done)->changed.size() == 2);
        CHECK(sql("SELECT string_agg(price_min::text, ' ' ORDER BY id) FROM products") == "1.00 2.00");
        CHECK(sql("SELECT count(*) FROM product_history") == "4");
    });
}

TEST_CASE("a page survives the loss of its connection and is counted once",
          "[integration][catalog][commit][fault]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        int lost = 0, replays = 0;
        for (int n = 1; n <= 40; ++n) {
            std::vector<scraped_product> products;
            for (int i = 0; i < 50; ++i)
                products.push_back(item(i, fmt::format("{}.00", n), noon + n));
            const auto page = page_of(std::move(products), n);
            // Somebody ends all sessions at some moment of the transaction.
            const auto shoot = [](int delay_us) -> task<void> {
                co_await sleep_for(std::chrono::microseconds{delay_us});
                sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'catalog' AND "
                    "pid <> "
                    "pg_backend_pid()");
            };
            task_group group{co_await asio::this_coro::executor};
            group.spawn("shoot", shoot(n * 200));
            for (bool committed = false; !committed;) {
                try {
                    const auto done = co_await store.commit_page(job("1"), page);
                    REQUIRE(done);
                    replays += done->is_replay;
                    committed = true;
                } catch (const system_error& e) {
                    REQUIRE(postgres::is_unavailable(e.code()));
                    ++lost;
                }
            }
            co_await group.join();
        }
        CAPTURE(lost, replays);
        CHECK(sql("SELECT pages, products_found, products_changed FROM scrape_runs") == "40|2000|2000");
        CHECK(sql("SELECT count(*) FROM product_history") == "2000");
    });
}
