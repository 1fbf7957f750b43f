#include "fixture.hpp"

using namespace tiktrend;
using namespace tiktrend::catalog;

namespace {

/// Everything of the schema that a program can see, as text.
constexpr std::string_view describe_schema = R"(
SELECT string_agg(line, E'\n' ORDER BY line) FROM (
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS everything)";

task<void> up_down_up(std::string url) {
    postgres::connection c{co_await asio::this_coro::executor, postgres::migrator::settings(url)};
    co_await c.connect();
    const postgres::migrator m{migrations::files()};
    co_await m.up(c);
    const auto first = server().execute("schema", describe_schema);
    CHECK_THAT(first, Catch::Contains("products_source_external_id_key"));
    CHECK((co_await m.status(c)).is_ready());

    // Each file alone down and up again, so that a down file cannot lean on the one before it.
    for (int v = (co_await m.status(c)).latest; v-- > 0;) {
        co_await m.down(c, v);
        co_await m.up(c);
        CHECK(server().execute("schema", describe_schema) == first);
    }
    co_await m.down(c, 0);
    const auto left =
        server().execute("schema", "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = "
                                   "'public'::regnamespace AND relkind <> 'i'");
    CHECK(left == "schema_migrations");
    co_await m.up(c);
    CHECK(server().execute("schema", describe_schema) == first);
}

} // namespace

TEST_CASE("the schema goes up, down and up again to the same", "[integration][catalog][migrations]") {
    testing::run_coroutine(up_down_up(server().create_database("schema")));
}

TEST_CASE("every constraint and index was given its name by us", "[integration][catalog][migrations]") {
    fresh_database();
    // PostgreSQL's own names for several unnamed ones end in a number.
    CHECK(sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'i' "
              "AND relname ~ "
              "'_(idx|key|check)[0-9]+$'") == "0");
}

TEST_CASE("partitions are made once however many ask, and for any month",
          "[integration][catalog][migrations]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        task_group group{co_await asio::this_coro::executor};
        for (int i = 0; i < 6; ++i)
            group.spawn("ensure", store.ensure_partitions(8));
        co_await group.join();
        CHECK(sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'product_history'::regclass") == "9");
        // A page scraped in a month without a partition makes its own.
        const auto old = page_of({item(1, "1", 1'500'000'000'000)});
        CHECK((co_await store.commit_page(job("1"), old)).has_value());
        CHECK(sql("SELECT tableoid::regclass FROM product_history") == "product_history_2017_07");
    });
}
