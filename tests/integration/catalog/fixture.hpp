#pragma once
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/catalog/migrations.hpp>
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/postgres/migrator.hpp>
#include <tiktrend/testing/postgres_server.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>
#include <fmt/format.h>

/// A failed REQUIRE(result) says why.
template <class T>
struct Catch::StringMaker<tiktrend::result<T>> {
    static std::string convert(const tiktrend::result<T>& r) { return r ? "a value" : r.error().message(); }
};

namespace tiktrend::catalog {

using namespace std::chrono_literals;

inline testing::postgres_server& server() {
    return testing::postgres_server::shared();
}

/// A database with the schema, made anew for each test from a migrated template.
inline std::string fresh_database() {
    static const bool ready = [] {
        const auto migrate = [](std::string url) -> task<void> {
            postgres::connection c{co_await asio::this_coro::executor, postgres::migrator::settings(url)};
            co_await c.connect();
            co_await postgres::migrator{migrations::files()}.up(c);
        };
        testing::run_coroutine(migrate(server().create_database("catalog_template")));
        return true;
    }();
    (void)ready;
    server().execute("postgres", "DROP DATABASE IF EXISTS catalog WITH (FORCE)");
    server().execute("postgres", "CREATE DATABASE catalog TEMPLATE catalog_template");
    return server().url("catalog");
}

/// One value out of the test's database.
inline std::string sql(std::string_view text) {
    return server().execute("catalog", text);
}

/// Runs `body` with a router to a fresh database and stops it whatever happens.
inline void on_database(task<void> (*body)(postgres::router&)) {
    const auto run = [](std::string url, task<void> (*b)(postgres::router&)) -> task<void> {
        postgres::router_options o;
        o.pool.connection.url = url;
        o.pool.max_size = 8;
        postgres::router r{co_await asio::this_coro::executor, o};
        r.start();
        std::exception_ptr failure;
        try {
            co_await b(r);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await r.stop();
        if (failure) std::rethrow_exception(failure);
    };
    testing::run_coroutine(run(fresh_database(), body), 60s);
}

inline constexpr std::int64_t noon = 1'795'000'000'000; // in November 2026

inline scraped_product item(int n, std::string price = "10.00", std::int64_t at = noon) {
    scraped_product p;
    p.source = "demo.shop";
    p.external_id = fmt::format("item-{:05}", n);
    p.title = fmt::format("Item {}", n);
    p.category = n % 2 ? "Odd" : "Even";
    p.price_min = std::move(price);
    p.currency = "EUR";
    p.scraped_at_ms = at;
    return p;
}

inline scraped_page page_of(std::vector<scraped_product> products, std::int64_t number = 1) {
    scraped_page out;
    out.number = number;
    out.cursor = fmt::format("page={}", number + 1);
    out.products = std::move(products);
    return out;
}

inline run_key job(std::string id, std::int32_t attempt = 1) {
    run_key out;
    out.job_id = std::move(id);
    out.job_timestamp_ms = noon;
    out.attempt = attempt;
    return out;
}

} // namespace tiktrend::catalog
