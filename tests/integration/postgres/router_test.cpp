#include "fixture.hpp"

#include <tiktrend/postgres/router.hpp>

using namespace tiktrend;
using namespace tiktrend::postgres;

namespace {

/// A standby of the shared cluster.
postgres_server& standby() {
    static postgres_server instance = [] {
        postgres_server::options o;
        o.replica_of = &server();
        return postgres_server{o};
    }();
    return instance;
}

router_options fast(std::vector<std::string> replicas) {
    router_options o;
    o.pool = pool_for(server().url());
    o.pool.acquire_timeout = 500ms;
    o.replica_urls = std::move(replicas);
    o.probe_interval = 10ms;
    o.probe_timeout = 500ms;
    return o;
}

task<void> with_router(router_options o, task<void> (*body)(router&)) {
    router r{co_await asio::this_coro::executor, std::move(o)};
    r.start();
    std::exception_ptr failure;
    try {
        co_await body(r);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await r.stop();
    if (failure) std::rethrow_exception(failure);
}

/// Waits until the first replica serves, or does not; the test's own bound ends a wait in vain.
task<void> until_serving(router& r, bool serving) {
    while (r.replicas().front().is_serving != serving)
        co_await sleep_for(5ms);
}

task<lsn> position(router& r) {
    const auto answer = co_await r.write().query("SELECT pg_current_wal_insert_lsn()::text");
    co_return *lsn::parse(answer.front()[0].text());
}

constexpr std::string_view am_i_standby = "SELECT pg_is_in_recovery()";

} // namespace

TEST_CASE("one address serves both roles", "[integration][postgres][router]") {
    run_coroutine(with_router(fast({server().url()}), [](router& r) -> task<void> {
        CHECK(r.replicas().empty());
        CHECK(r.read().where == &r.write());
        CHECK(r.read().point.is_primary);
        CHECK(r.read().point.covers(lsn{~0ULL}));
        CHECK((co_await r.query("SELECT 5")).answer.front()[0].int64() == 5);
        CHECK((co_await r.read_at(lsn{1})).where == &r.write());
    }));
}

TEST_CASE("reads go to the standby, writes to the primary", "[integration][postgres][router]") {
    run_coroutine(with_router(fast({standby().url()}), [](router& r) -> task<void> {
        CHECK(r.read().point.is_primary); // before the first probe
        co_await until_serving(r, true);
        const auto read = co_await r.query(am_i_standby);
        CHECK(read.answer.front()[0].boolean());
        CHECK_FALSE(read.point.is_primary);
        CHECK(read.point.replayed > lsn{});
        CHECK_FALSE(read.point.covers(lsn{~0ULL}));
        CHECK_FALSE((co_await r.write().query(am_i_standby)).front()[0].boolean());
    }));
}

TEST_CASE("a reader with a position sees its own write", "[integration][postgres][router]") {
    server().execute("postgres", "CREATE TABLE IF NOT EXISTS seen (n int)");
    run_coroutine(with_router(fast({standby().url()}), [](router& r) -> task<void> {
        co_await until_serving(r, true);
        co_await r.write().query("DELETE FROM seen");
        for (int i = 1; i <= 20; ++i) {
            co_await r.write().query("INSERT INTO seen VALUES (1)");
            const auto at = co_await position(r);
            const auto where = co_await r.read_at(at);
            CHECK(where.point.covers(at));
            CHECK((co_await where.where->query("SELECT count(*) FROM seen")).front()[0].int64() == i);
        }
    }));
}

TEST_CASE("a standby that falls behind gets no reads until it has caught up for good",
          "[integration][postgres][router]") {
    auto o = fast({standby().url()});
    o.max_lag_bytes = 64 << 10;
    run_coroutine(with_router(o, [](router& r) -> task<void> {
        co_await until_serving(r, true);
        standby().execute("postgres", "SELECT pg_wal_replay_pause()");
        co_await r.write().query("CREATE TABLE IF NOT EXISTS filler (t text)");
        co_await r.write().query(
            "INSERT INTO filler SELECT repeat(md5(i::text), 20) FROM generate_series(1, 2000) i");
        co_await until_serving(r, false);
        CHECK(r.replicas().front().reason == "too many bytes behind");
        CHECK(r.replicas().front().lag_bytes > (64 << 10));
        CHECK_FALSE((co_await r.query(am_i_standby)).answer.front()[0].boolean());
        // A position it cannot reach in time: the primary answers.
        CHECK((co_await r.read_at(co_await position(r))).point.is_primary);

        standby().execute("postgres", "SELECT pg_wal_replay_resume()");
        co_await until_serving(r, true);
        CHECK(r.replicas().front().reason.empty());
    }));
}

TEST_CASE("a standby behind for too long is ejected by time", "[integration][postgres][router]") {
    auto o = fast({standby().url()});
    o.max_lag = 50ms;
    run_coroutine(with_router(o, [](router& r) -> task<void> {
        co_await until_serving(r, true);
        standby().execute("postgres", "SELECT pg_wal_replay_pause()");
        co_await r.write().query("CREATE TABLE IF NOT EXISTS filler (t text)");
        co_await r.write().query("INSERT INTO filler VALUES ('x')");
        co_await until_serving(r, false);
        CHECK(r.replicas().front().reason == "too long behind");
        standby().execute("postgres", "SELECT pg_wal_replay_resume()");
        co_await until_serving(r, true);
    }));
}

TEST_CASE("reads move to the primary at once when the standby dies, and back when it returns",
          "[integration][postgres][router][fault]") {
    run_coroutine(with_router(fast({standby().url()}), [](router& r) -> task<void> {
        co_await until_serving(r, true);
        standby().kill();
        for (int i = 0; i < 50; ++i) {
            const auto read = co_await r.query(am_i_standby);
            CHECK_FALSE(read.answer.front()[0].boolean());
            CHECK(read.point.is_primary);
        }
        co_await until_serving(r, false);
        standby().start();
        co_await until_serving(r, true);
        CHECK((co_await r.query(am_i_standby)).answer.front()[0].boolean());
    }));
}

TEST_CASE("a replica address that leads to a primary serves nothing", "[integration][postgres][router]") {
    run_coroutine(with_router(fast({server().tcp_url()}), [](router& r) -> task<void> {
        while (r.replicas().front().reason != "not a standby")
            co_await sleep_for(5ms);
        CHECK(r.read().point.is_primary);
    }));
}

TEST_CASE("a primary that is a standby is told once and looked for with patience",
          "[integration][postgres][router][fault]") {
    static int told = 0;
    told = 0;
    auto o = fast({server().tcp_url()});
    o.pool.connection.url = standby().url();
    o.log = logger::to_sink(log_level::warn, [](std::string_view line) {
        told += line.find("postgres_primary_is_standby") != std::string_view::npos ? 1 : 0;
    });
    run_coroutine(with_router(o, [](router& r) -> task<void> {
        const auto begin = std::chrono::steady_clock::now();
        while (r.write().connects() < 6)
            co_await sleep_for(5ms);
        CHECK(told == 1);
        CHECK(std::chrono::steady_clock::now() - begin >= 150ms); // 20 + 40 + 80 + …, not 10 each
    }));
}

TEST_CASE("what an old primary wrote and the new one lacks is no lag of the replicas",
          "[integration][postgres][router][fault]") {
    // A schema that comes before pg_catalog says where the primary stands.
    const auto url = server().create_database("timeline");
    server().execute("timeline",
                     "CREATE SCHEMA told; CREATE TABLE told.here (at pg_lsn); "
                     "INSERT INTO told.here VALUES ('FFFFFF/0'); "
                     "CREATE FUNCTION told.pg_current_wal_insert_lsn() RETURNS pg_lsn LANGUAGE sql AS "
                     "'SELECT at FROM told.here'; "
                     "ALTER DATABASE timeline SET search_path = told, pg_catalog, public");
    auto o = fast({standby().url()});
    o.pool.connection.url = url;
    o.probe_interval = 200ms;
    o.max_lag_bytes = std::numeric_limits<std::int64_t>::max();
    o.max_lag = 300ms;
    run_coroutine(with_router(o, [](router& r) -> task<void> {
        while (r.replicas().front().reason != "too long behind")
            co_await sleep_for(5ms);
        for (int i = 0; i < 20; ++i) // a history worth forgetting
            co_await sleep_for(50ms);
        server().execute("timeline", "UPDATE told.here SET at = '0/1'");
        const auto begin = std::chrono::steady_clock::now();
        co_await until_serving(r, true);
        CHECK(std::chrono::steady_clock::now() - begin < 6s); // the samples of old are there for 12.8 s
    }));
}
