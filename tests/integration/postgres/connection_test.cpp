#include "fixture.hpp"

#include <boost/asio/ip/tcp.hpp>

using namespace tiktrend;
using namespace tiktrend::postgres;

namespace {

task<void> with_connection(connection_options o, task<void> (*body)(connection&)) {
    connection c{co_await asio::this_coro::executor, std::move(o)};
    co_await c.connect();
    co_await body(c);
}

void on_connection(task<void> (*body)(connection&)) {
    run_coroutine(with_connection(options_for(server().url()), body));
}

} // namespace

TEST_CASE("values travel both ways without loss", "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        const auto p =
            params::of(std::int64_t{-9007199254740993}, 0.1, true, "é'\"\\", std::optional<std::string>{});
        const auto r =
            co_await c.query("SELECT $1::bigint AS i, $2::float8 AS d, $3::boolean AS b, $4::text AS t, "
                             "$5::text AS n, 12345678901234567890.123400::numeric AS m",
                             p);
        REQUIRE(r.size() == 1);
        const auto row = r.front();
        CHECK(row["i"].int64() == -9007199254740993);
        CHECK(row["d"].float64() == 0.1);
        CHECK(row[2].boolean());
        CHECK(row["t"].text() == "é'\"\\");
        CHECK(row["n"].is_null());
        CHECK_FALSE(row["n"].optional_text());
        CHECK_FALSE(row["n"].optional_int64());
        CHECK(row["m"].text() == "12345678901234567890.123400");
        CHECK_THROWS_AS(row["nothing"], std::out_of_range);
        CHECK_THROWS_AS(row["t"].int64(), std::invalid_argument);
        CHECK_THROWS_AS(row["n"].text(), std::logic_error);
    });
}

TEST_CASE("arrays arrive element by element, empty ones and NULLs too", "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        array t{array::element::text}, i{array::element::int8}, d{array::element::float8},
            b{array::element::boolean}, none{array::element::text};
        t.add("a,\"{}\\");
        t.add(std::optional<std::string>{});
        t.add("");
        i.add(std::int64_t{-2});
        d.add(1.5);
        d.add_null();
        b.add(true);
        b.add(false);
        params p;
        p.add(std::move(t)).add(std::move(i)).add(std::move(d)).add(std::move(b)).add(std::move(none));
        const auto r =
            co_await c.query("SELECT array_to_json($1::text[]), $2::bigint[], $3::float8[], $4::boolean[], "
                             "cardinality($5::text[])",
                             p);
        CHECK(r.front()[0].text() == R"(["a,\"{}\\",null,""])");
        CHECK(r.front()[1].text() == "{-2}");
        CHECK(r.front()[2].text() == "{1.5,NULL}");
        CHECK(r.front()[3].text() == "{t,f}");
        CHECK(r.front()[4].int64() == 0);
    });
}

TEST_CASE("bytes travel as they are", "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        params p;
        p.add_bytes(std::string_view{"\0\xff", 2});
        CHECK((co_await c.query("SELECT encode($1::bytea, 'hex')", p)).front()[0].text() == "00ff");
    });
}

TEST_CASE("a failed statement is reported with its SQLSTATE and leaves the connection usable",
          "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        CHECK(co_await sqlstate_of(c.query("SELECT 1/0")) == "22012");
        CHECK(co_await sqlstate_of(c.query("SELEC")) == "42601");
        co_await c.execute("CREATE TEMP TABLE t (a int CONSTRAINT t_a_positive CHECK (a > 0))");
        try {
            co_await c.query("INSERT INTO t VALUES (-1)");
            FAIL("the constraint holds");
        } catch (const server_error& e) {
            CHECK(e.constraint() == "t_a_positive");
        }
        CHECK(c.is_idle());
        CHECK((co_await c.query("SELECT 1")).front()[0].int64() == 1);
    });
}

TEST_CASE("statements are prepared once, and not at all when switched off", "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        for (int i = 0; i < 3; ++i)
            CHECK((co_await c.query("SELECT $1::int + 1", params::of(i))).front()[0].int64() == i + 1);
        CHECK(c.prepared_statements() == 1);
        co_await sqlstate_of(c.query("SELECT broken"));
        CHECK(c.prepared_statements() == 1); // what failed to prepare is not remembered
        const auto known = co_await c.query("SELECT count(*) FROM pg_prepared_statements");
        CHECK(known.front()[0].int64() == 2); // this one and the first
    });
    auto o = options_for(server().url());
    o.prepare = prepare_mode::off;
    run_coroutine(with_connection(o, [](connection& c) -> task<void> {
        CHECK((co_await c.query("SELECT $1::int + 1", params::of(1))).front()[0].int64() == 2);
        CHECK((co_await c.query("SELECT count(*) FROM pg_prepared_statements")).front()[0].int64() == 0);
    }));
}

TEST_CASE("a statement that is planned each time is not prepared", "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        auto values = params::of(7);
        values.plan_each_time();
        CHECK((co_await c.query("SELECT $1::bigint + 1", values)).front()[0].int64() == 8);
        CHECK(c.prepared_statements() == 0);
        CHECK((co_await c.query("SELECT $1::bigint + 1", params::of(8))).front()[0].int64() == 9);
        CHECK(c.prepared_statements() == 1);
        CHECK((co_await c.query("SELECT $1::bigint + 1", values)).front()[0].int64() ==
              8); // also where it is known
    });
}

TEST_CASE("the number of prepared statements is bounded", "[integration][postgres]") {
    auto o = options_for(server().url());
    o.max_prepared = 3;
    run_coroutine(with_connection(o, [](connection& c) -> task<void> {
        for (int i = 0; i < 6; ++i) {
            const auto sql = "SELECT " + std::to_string(i);
            CHECK((co_await c.query(sql)).front()[0].int64() == i);
        }
        CHECK(c.prepared_statements() == 3);
    }));
}

TEST_CASE("when a pooler loses prepared statements, preparing stops and work goes on",
          "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        co_await c.query("SELECT 7");
        co_await c.execute(
            "DEALLOCATE ALL"); // what a change of the server connection behind a pooler amounts to
        CHECK((co_await c.query("SELECT 7")).front()[0].int64() == 7);
        CHECK((co_await c.query("SELECT 8")).front()[0].int64() == 8);
        CHECK(c.prepared_statements() == 0);
    });
}

TEST_CASE("a batch is one transaction up to each sync", "[integration][postgres][pipeline]") {
    on_connection([](connection& c) -> task<void> {
        co_await c.execute("CREATE TEMP TABLE t (a int)");
        batch good;
        good.add("INSERT INTO t VALUES ($1::int)", params::of(1))
            .add("INSERT INTO t VALUES ($1::int)", params::of(2));
        good.sync().add("SELECT count(*) FROM t");
        const auto answers = co_await c.run(good);
        REQUIRE(answers.size() == 3);
        CHECK(answers[0].affected() == 1);
        CHECK(answers[2].front()[0].int64() == 2);

        batch bad;
        bad.add("INSERT INTO t VALUES (3)").add("SELECT 1/0").add("INSERT INTO t VALUES (4)");
        CHECK(co_await sqlstate_of(c.run(bad)) == "22012");
        CHECK(c.is_idle());
        CHECK((co_await c.query("SELECT count(*) FROM t")).front()[0].int64() == 2);
    });
}

TEST_CASE("a transaction of a batch runs although an earlier one failed",
          "[integration][postgres][pipeline]") {
    on_connection([](connection& c) -> task<void> {
        co_await c.execute("CREATE TEMP TABLE t (a int)");
        batch b;
        // The second statement is prepared in a transaction that fails, and used again in the next one.
        b.add("SELECT 1/0").add("INSERT INTO t VALUES (1)").sync().add("INSERT INTO t VALUES (1)");
        CHECK(co_await sqlstate_of(c.run(b)) == "22012");
        CHECK((co_await c.query("SELECT count(*) FROM t")).front()[0].int64() == 1);
    });
}

TEST_CASE("an error at commit fails the batch", "[integration][postgres][pipeline]") {
    on_connection([](connection& c) -> task<void> {
        co_await c.execute(
            "CREATE TEMP TABLE t (a int CONSTRAINT t_a_key UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        batch b;
        b.add("INSERT INTO t VALUES (1)").add("INSERT INTO t VALUES (1)");
        CHECK(co_await sqlstate_of(c.run(b)) == "23505");
        CHECK(c.is_idle());
        CHECK((co_await c.query("SELECT count(*) FROM t")).front()[0].int64() == 0);
    });
}

TEST_CASE("a batch larger than every buffer passes while answers flow back",
          "[integration][postgres][pipeline]") {
    on_connection([](connection& c) -> task<void> {
        const std::string large(1 << 20, 'x');
        batch b;
        for (int i = 0; i < 24; ++i)
            b.add("SELECT $1::text", params::of(large));
        const auto answers = co_await c.run(b);
        REQUIRE(answers.size() == 24);
        for (const auto& a : answers)
            CHECK(a.front()[0].text().size() == large.size());
    });
}

TEST_CASE("a statement that takes too long is cancelled by the server", "[integration][postgres]") {
    auto o = options_for(server().url());
    o.statement_timeout = 50ms;
    run_coroutine(with_connection(o, [](connection& c) -> task<void> {
        CHECK(co_await code_of(c.query("SELECT pg_sleep(10)")) == postgres::errc::cancelled);
        CHECK(c.is_idle());
    }));
}

TEST_CASE("silence of the server ends the wait and the connection", "[integration][postgres]") {
    auto o = options_for(server().url());
    o.response_timeout = 50ms;
    run_coroutine(with_connection(o, [](connection& c) -> task<void> {
        CHECK(co_await code_of(c.query("SELECT pg_sleep(10)")) == postgres::errc::timed_out);
        CHECK_FALSE(c.is_open());
        CHECK(co_await code_of(c.query("SELECT 1")) == postgres::errc::not_connected);
        co_await c.connect();
        CHECK((co_await c.query("SELECT 1")).size() == 1);
    }));
}

TEST_CASE("a cancelled query closes the connection and the server gives the statement up",
          "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        const auto pid = c.backend_pid();
        CHECK(co_await code_of(within(30ms, c.query("SELECT pg_sleep(60)"))) == tiktrend::errc::timed_out);
        CHECK_FALSE(c.is_open());
        CHECK_FALSE(c.is_idle());
        const auto alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = " + std::to_string(pid);
        CHECK(testing::poll_until([&] { return server().execute("postgres", alive) == "0"; }));
    });
}

TEST_CASE("a session ended by the administrator is a lost connection", "[integration][postgres]") {
    on_connection([](connection& c) -> task<void> {
        CHECK(c.looks_alive());
        CHECK(co_await code_of(c.query("SELECT pg_terminate_backend(pg_backend_pid())")) ==
              postgres::errc::connection_lost);
        CHECK_FALSE(c.is_open());
        co_await c.connect();
        server().execute("postgres", "SELECT pg_terminate_backend(" + std::to_string(c.backend_pid()) + ")");
        CHECK(testing::poll_until([&] { return !c.looks_alive(); }));
        CHECK(co_await code_of(c.query("SELECT 1")) == postgres::errc::connection_lost);
    });
}

TEST_CASE("connecting fails in time and says why", "[integration][postgres]") {
    run_coroutine([]() -> task<void> {
        const auto executor = co_await asio::this_coro::executor;
        const auto attempt = [](asio::any_io_executor e, std::string url,
                                std::chrono::milliseconds limit) -> task<std::string> {
            auto o = options_for(url);
            o.connect_timeout = limit;
            connection c{e, o};
            try {
                co_await c.connect();
            } catch (const system_error& x) {
                co_return x.what();
            }
            co_return std::string{};
        };
        CHECK_THAT(co_await attempt(executor, server().url("no_such_database"), 5s),
                   Catch::Contains("no_such_database"));
        const auto closed =
            "postgresql://postgres@127.0.0.1:" + std::to_string(testing::free_port()) + "/postgres";
        CHECK_THAT(co_await attempt(executor, closed, 5s), Catch::Contains("refused"));
        CHECK_THAT(co_await attempt(executor, "postgresql://u:secret@no-such-host.invalid/x", 5s),
                   Catch::Contains("no-such-host.invalid") && !Catch::Contains("secret"));
        CHECK_THAT(co_await attempt(executor, "nonsense://", 5s),
                   Catch::Contains("not a PostgreSQL connection URL"));

        // Somebody accepts and never speaks.
        asio::ip::tcp::acceptor mute{executor, {asio::ip::address_v4::loopback(), 0}};
        const auto silent =
            "postgresql://postgres@127.0.0.1:" + std::to_string(mute.local_endpoint().port()) + "/x";
        CHECK_THAT(co_await attempt(executor, silent, 50ms), Catch::Contains("took too long"));
        CHECK_THAT(co_await attempt(executor, silent, 0ms), Catch::Contains("took too long"));
    }());
}

TEST_CASE("host names are resolved, and the next address is tried", "[integration][postgres]") {
    const auto port = std::to_string(server().port());
    const auto closed = std::to_string(testing::free_port());
    run_coroutine(with_connection(
        options_for("postgresql://postgres@localhost:" + port + "/postgres"),
        [](connection& c) -> task<void> { CHECK(co_await code_of(c.query("SELECT 1")) == error_code{}); }));
    run_coroutine(with_connection(
        options_for("postgresql://postgres@127.0.0.1:" + closed + ",localhost:" + port + "/postgres"),
        [](connection& c) -> task<void> { CHECK(co_await code_of(c.query("SELECT 1")) == error_code{}); }));
}
