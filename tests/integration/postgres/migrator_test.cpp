#include "fixture.hpp"

#include <tiktrend/postgres/migrator.hpp>

using namespace tiktrend;
using namespace tiktrend::postgres;

namespace {

using files = std::vector<embedded_file>;

const files two{{"001_create_a.up.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n"},
                {"001_create_a.down.sql", "DROP TABLE a;\n"},
                {"002_index_a.up.sql", "-- no-transaction\nSET enable_seqscan = on;\nCREATE INDEX "
                                       "CONCURRENTLY IF NOT EXISTS a_id_idx ON a (id);\n"},
                {"002_index_a.down.sql", "DROP INDEX a_id_idx;\n"}};

/// Runs `body` on a connection to an empty database.
void on_empty_database(task<void> (*body)(connection&)) {
    const auto url = server().create_database("migrations");
    const auto run = [](std::string where, task<void> (*b)(connection&)) -> task<void> {
        connection c{co_await asio::this_coro::executor, migrator::settings(where)};
        co_await c.connect();
        co_await b(c);
    };
    run_coroutine(run(url, body));
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("migrations are applied once, in order, and reverted newest first",
          "[integration][postgres][migrator]") {
    on_empty_database([](connection& c) -> task<void> {
        const migrator m{two};
        auto s = co_await m.status(c);
        CHECK(s.current == 0);
        CHECK(s.latest == 2);
        CHECK_FALSE(s.is_ready());
        CHECK(s.pending == names{"001_create_a", "002_index_a"});

        CHECK(co_await m.up(c) == names{"001_create_a", "002_index_a"});
        CHECK((co_await m.up(c)).empty());
        CHECK((co_await m.status(c)).is_ready());
        CHECK((co_await c.query("SELECT count(*) FROM a")).front()[0].int64() == 1);

        CHECK(co_await m.down(c, 1) == names{"002_index_a"});
        CHECK((co_await m.status(c)).current == 1);
        CHECK(co_await m.down(c, 0) == names{"001_create_a"});
        CHECK((co_await c.query("SELECT to_regclass('a') IS NULL")).front()[0].boolean());
        CHECK(co_await m.up(c) == names{"001_create_a", "002_index_a"});
    });
}

TEST_CASE("a file that fails leaves nothing behind and keeps those before it",
          "[integration][postgres][migrator]") {
    on_empty_database([](connection& c) -> task<void> {
        auto broken = two;
        broken[2].text = "CREATE TABLE b (id int);\nSELECT 1/0;\n";
        CHECK(co_await sqlstate_of(migrator{broken}.up(c)) == "22012");
        CHECK(c.is_idle());
        CHECK((co_await migrator{broken}.status(c)).pending == names{"002_index_a"});
        CHECK((co_await c.query("SELECT to_regclass('b') IS NULL")).front()[0].boolean());
        // The lock was given back: the corrected file goes through.
        CHECK(co_await migrator{two}.up(c) == names{"002_index_a"});
    });
}

TEST_CASE("a file changed after it was applied is found by its checksum",
          "[integration][postgres][migrator]") {
    on_empty_database([](connection& c) -> task<void> {
        co_await migrator{two}.up(c);
        auto changed = two;
        changed[0].text = "CREATE TABLE a (id bigint);\n";
        const migrator m{changed};
        const auto s = co_await m.status(c);
        CHECK_FALSE(s.is_ready());
        REQUIRE(s.problems.size() == 1);
        CHECK_THAT(s.problems[0], Catch::Contains("001_create_a"));
        bool refused = false;
        try {
            co_await m.up(c);
        } catch (const std::runtime_error& e) {
            refused = true;
            CHECK_THAT(e.what(), Catch::Contains("001_create_a was changed"));
        }
        CHECK(refused);
    });
}

TEST_CASE("a schema newer than the program is fit for use but not for reverting",
          "[integration][postgres][migrator]") {
    on_empty_database([](connection& c) -> task<void> {
        co_await migrator{two}.up(c);
        const files old{two.begin(), two.begin() + 2};
        const migrator m{old};
        const auto s = co_await m.status(c);
        CHECK(s.is_ready());
        CHECK(s.is_newer);
        CHECK_THAT(s.summary(), Catch::Contains("newer"));
        bool refused = false;
        try {
            co_await m.down(c, 0);
        } catch (const std::runtime_error&) {
            refused = true;
        }
        CHECK(refused);
    });
}

TEST_CASE("concurrent runs apply each migration once", "[integration][postgres][migrator]") {
    const auto url = server().create_database("migrations");
    run_coroutine([](std::string where) -> task<void> {
        const auto executor = co_await asio::this_coro::executor;
        names applied;
        const auto run = [](asio::any_io_executor e, std::string u, names& out) -> task<void> {
            connection c{e, migrator::settings(u)};
            co_await c.connect();
            const migrator m{two};
            for (auto& n : co_await m.up(c))
                out.push_back(n);
            CHECK((co_await m.status(c)).is_ready());
        };
        task_group group{executor};
        for (int i = 0; i < 8; ++i)
            group.spawn("run", run(executor, where, applied));
        co_await group.join();
        CHECK(applied == names{"001_create_a", "002_index_a"});
    }(url));
}

TEST_CASE("a run that cannot get the lock gives up in time", "[integration][postgres][migrator]") {
    on_empty_database([](connection& c) -> task<void> {
        connection other{co_await asio::this_coro::executor, c.options()};
        co_await other.connect();
        co_await other.query("SELECT pg_advisory_lock(8388353928833887844)");
        migrator_options o;
        o.run_timeout = 60ms;
        const migrator m{two, o};
        CHECK(co_await code_of(m.up(c)) == postgres::errc::timed_out);
        other.close();
        CHECK(co_await code_of(migrator{two}.up(c)) == error_code{});
    });
}

TEST_CASE("a migration does not wait for ever for a table in use", "[integration][postgres][migrator]") {
    on_empty_database([](connection& c) -> task<void> {
        co_await c.execute("CREATE TABLE a (id int)");
        connection other{co_await asio::this_coro::executor, c.options()};
        co_await other.connect();
        co_await other.execute("BEGIN; LOCK TABLE a");
        migrator_options o;
        o.lock_timeout = 50ms;
        const files alter{{"001_alter_a.up.sql", "ALTER TABLE a ADD COLUMN b int;\n"},
                          {"001_alter_a.down.sql", "SELECT 1;\n"}};
        const migrator m{alter, o};
        CHECK(co_await sqlstate_of(m.up(c)) == "55P03");
        CHECK((co_await m.status(c)).current == 0);
    });
}
