#include "fixture.hpp"

#include <signal.h>

using namespace tiktrend;
using namespace tiktrend::postgres;

namespace {

/// Runs `body` on a started pool and stops the pool whatever happens.
task<void> with_pool(pool_options o, task<void> (*body)(pool&)) {
    pool p{co_await asio::this_coro::executor, std::move(o)};
    p.start();
    std::exception_ptr failure;
    try {
        co_await body(p);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await p.stop();
    CHECK(p.in_use() == 0);
    CHECK(p.idle() == 0);
    CHECK(p.waiting() == 0);
    if (failure) std::rethrow_exception(failure);
}

void on_pool(pool_options o, task<void> (*body)(pool&)) {
    run_coroutine(with_pool(std::move(o), body));
}

task<int> pid(pool& p) {
    const auto l = co_await p.acquire();
    co_return l->backend_pid();
}

} // namespace

TEST_CASE("the pool gives the connection used last and opens no more than needed",
          "[integration][postgres][pool]") {
    on_pool(pool_for(server().url()), [](pool& p) -> task<void> {
        const auto first = co_await pid(p);
        for (int i = 0; i < 10; ++i)
            CHECK(co_await pid(p) == first);
        CHECK(p.connects() == 1);
        {
            auto a = co_await p.acquire();
            auto b = co_await p.acquire();
            CHECK(a->backend_pid() != b->backend_pid());
            CHECK(p.in_use() == 2);
        }
        CHECK(p.idle() == 2);
        CHECK(p.is_healthy());
    });
}

TEST_CASE("a full pool lets callers wait in order and times out", "[integration][postgres][pool]") {
    auto o = pool_for(server().url(), 1);
    o.acquire_timeout = 50ms;
    on_pool(o, [](pool& p) -> task<void> {
        {
            auto held = co_await p.acquire();
            const auto before = std::chrono::steady_clock::now();
            CHECK(co_await code_of(p.acquire()) == postgres::errc::pool_timeout);
            CHECK(std::chrono::steady_clock::now() - before >= 50ms);
            CHECK(p.waiting() == 0);
        }
        CHECK(co_await code_of(p.query("SELECT 1")) == error_code{});

        task_group group{co_await asio::this_coro::executor};
        std::string order;
        const auto wait_for_it = [](pool& of, std::string& out, char name) -> task<void> {
            const auto l = co_await of.acquire();
            out += name;
        };
        {
            auto held = co_await p.acquire();
            for (const char name : {'a', 'b', 'c'})
                group.spawn("waiter", wait_for_it(p, order, name));
            while (p.waiting() < 3)
                co_await sleep_for(1ms);
        }
        co_await group.join();
        CHECK(order == "abc");
    });
}

TEST_CASE("the number of waiting callers is bounded", "[integration][postgres][pool]") {
    auto o = pool_for(server().url(), 1);
    o.max_waiting = 1;
    on_pool(o, [](pool& p) -> task<void> {
        task_group group{co_await asio::this_coro::executor};
        const auto wait = [](pool& of) -> task<void> { const auto l = co_await of.acquire(); };
        {
            auto held = co_await p.acquire();
            group.spawn("waiter", wait(p));
            while (p.waiting() < 1)
                co_await sleep_for(1ms);
            CHECK(co_await code_of(p.acquire()) == tiktrend::errc::overloaded);
        }
        co_await group.join();
    });
}

TEST_CASE("a cancelled coroutine leaves no poisoned connection behind", "[integration][postgres][pool]") {
    on_pool(pool_for(server().url(), 1), [](pool& p) -> task<void> {
        for (int i = 0; i < 5; ++i) {
            CHECK(co_await code_of(within(10ms, p.query("SELECT pg_sleep(30)"))) ==
                  tiktrend::errc::timed_out);
            CHECK((co_await p.query("SELECT 42")).front()[0].int64() == 42);
        }
        // A transaction left open is rolled back with its connection.
        co_await p.query("CREATE TABLE IF NOT EXISTS leftover (a int)");
        {
            auto l = co_await p.acquire();
            co_await l->execute("BEGIN");
            co_await l->query("INSERT INTO leftover VALUES (1)");
        }
        CHECK((co_await p.query("SELECT count(*) FROM leftover")).front()[0].int64() == 0);
    });
}

TEST_CASE("a waiter that is cancelled, even with a connection in hand, loses none",
          "[integration][postgres][pool]") {
    on_pool(pool_for(server().url(), 2), [](pool& p) -> task<void> {
        const auto use = [](pool& of) -> task<void> {
            const auto l = co_await of.acquire();
            co_await l->query("SELECT 1");
        };
        for (int round = 0; round < 50; ++round) {
            task_group group{co_await asio::this_coro::executor};
            for (int i = 0; i < 8; ++i)
                group.spawn("user", use(p));
            // A different moment each time: before the first step up to the end.
            co_await sleep_for(std::chrono::microseconds{40 * round});
            group.cancel();
            co_await group.join();
            CHECK(p.in_use() == 0);
            CHECK(p.waiting() == 0);
        }
        CHECK(co_await code_of(p.query("SELECT 1")) == error_code{});
    });
}

TEST_CASE("connections that the server ended are replaced before anybody gets them",
          "[integration][postgres][pool]") {
    on_pool(pool_for(server().url()), [](pool& p) -> task<void> {
        const auto first = co_await pid(p);
        server().restart();
        CHECK(co_await code_of(p.query("SELECT 1")) == error_code{});
        CHECK(co_await pid(p) != first);
    });
}

TEST_CASE("old connections are replaced and idle ones are closed", "[integration][postgres][pool]") {
    auto o = pool_for(server().url());
    o.max_lifetime = 1ms;
    on_pool(o, [](pool& p) -> task<void> {
        const auto first = co_await pid(p);
        co_await sleep_for(2ms);
        CHECK(co_await pid(p) != first);
    });
    auto spare = pool_for(server().url());
    spare.max_idle = 1ms;
    spare.min_size = 1;
    on_pool(spare, [](pool& p) -> task<void> {
        {
            auto a = co_await p.acquire();
            auto b = co_await p.acquire();
        }
        CHECK(p.idle() == 2);
        while (p.idle() > 1)
            co_await sleep_for(5ms); // the coroutine's own bound ends this
        co_await sleep_for(20ms);
        CHECK(p.idle() == 1);
    });
}

TEST_CASE("a connection unused for long answers a ping before it is handed out",
          "[integration][postgres][pool]") {
    auto o = pool_for(server().url());
    o.check_after = 0ms;
    on_pool(o, [](pool& p) -> task<void> {
        const auto first = co_await pid(p);
        co_await sleep_for(2ms);
        CHECK(co_await pid(p) == first);
    });
}

TEST_CASE("dead connections unused for long cost one ping, not one each", "[integration][postgres][pool]") {
    auto o = pool_for(server().url());
    o.check_after = 0ms;
    on_pool(o, [](pool& p) -> task<void> {
        std::vector<int> frozen;
        {
            std::vector<lease> all;
            for (int i = 0; i < 4; ++i)
                all.push_back(co_await p.acquire());
            for (const auto& l : all)
                frozen.push_back(l->backend_pid());
        }
        for (const int id : frozen)
            ::kill(id, SIGSTOP);
        const auto before = std::chrono::steady_clock::now();
        const auto fresh = co_await pid(p);
        const auto took = std::chrono::steady_clock::now() - before;
        for (const int id : frozen)
            ::kill(id, SIGCONT);
        CHECK(std::find(frozen.begin(), frozen.end(), fresh) == frozen.end());
        CHECK(took < 3s);
    });
}

TEST_CASE("recycling replaces idle and borrowed connections", "[integration][postgres][pool]") {
    on_pool(pool_for(server().url()), [](pool& p) -> task<void> {
        int borrowed = 0;
        {
            auto l = co_await p.acquire();
            borrowed = l->backend_pid();
            p.recycle();
            CHECK(co_await code_of(l->query("SELECT 1")) == error_code{});
        }
        CHECK(co_await pid(p) != borrowed);
    });
}

TEST_CASE("a primary that turned read-only makes the pool connect anew", "[integration][postgres][pool]") {
    const auto url = server().create_database("failover");
    server().execute("postgres", "ALTER DATABASE failover SET default_transaction_read_only = on");
    on_pool(pool_for(url), [](pool& p) -> task<void> {
        CHECK(co_await code_of(p.query("CREATE TABLE t (a int)")) == postgres::errc::read_only);
        server().execute("postgres", "ALTER DATABASE failover RESET default_transaction_read_only");
        CHECK(co_await code_of(p.query("CREATE TABLE t (a int)")) == error_code{});
    });
}

TEST_CASE("without a server callers fail in time with the reason, later at once",
          "[integration][postgres][pool]") {
    auto o = pool_for("postgresql://postgres@127.0.0.1:" + std::to_string(testing::free_port()) + "/x");
    o.acquire_timeout = 100ms;
    on_pool(o, [](pool& p) -> task<void> {
        try {
            co_await p.acquire();
            FAIL("there is no server");
        } catch (const system_error& e) {
            CHECK(e.code() == postgres::errc::pool_timeout);
            CHECK_THAT(e.what(), Catch::Contains("refused"));
        }
        CHECK_FALSE(p.is_healthy());
        CHECK(p.connect_failures() >= 1);
        co_await sleep_for(20ms);
        const auto before = std::chrono::steady_clock::now();
        CHECK(co_await code_of(p.acquire()) == postgres::errc::not_connected);
        CHECK(std::chrono::steady_clock::now() - before < 50ms);
    });
}

TEST_CASE("the pool works again after the server was killed and restarted under load",
          "[integration][postgres][pool][fault]") {
    static int good = 0, bad = 0;
    good = bad = 0;
    run_coroutine(
        with_pool(pool_for(server().tcp_url()),
                  [](pool& p) -> task<void> {
                      const auto load = [](pool& of, const bool& ended) -> task<void> {
                          while (!ended) {
                              const auto code = co_await code_of(of.query("SELECT pg_sleep(0.001)"));
                              if (!code) {
                                  ++good;
                                  continue;
                              }
                              ++bad;
                              CHECK(is_unavailable(code)); // never a wrong answer, never another error
                              co_await sleep_for(5ms);
                          }
                      };
                      bool ended = false;
                      task_group group{co_await asio::this_coro::executor};
                      for (int i = 0; i < 16; ++i)
                          group.spawn("load", load(p, ended));
                      const auto more = [](int than) -> task<void> {
                          while (good <= than)
                              co_await sleep_for(2ms);
                      };
                      co_await more(50);
                      for (int i = 0; i < 3; ++i) {
                          i % 2 ? server().restart() : (server().kill(), server().start());
                          co_await more(good + 50);
                      }
                      ended = true;
                      co_await group.join();
                      CHECK(bad > 0);
                      CHECK(p.in_use() == 0);
                      CHECK(p.is_healthy());
                  }),
        60s);
}

TEST_CASE("stopping ends with the server gone, with waiters and with borrowed connections",
          "[integration][postgres][pool]") {
    run_coroutine([]() -> task<void> {
        const auto executor = co_await asio::this_coro::executor;
        pool p{executor, pool_for(server().tcp_url(), 2)};
        p.start();
        co_await p.query("SELECT 1");
        server().child().signal(SIGSTOP);

        task_group group{executor};
        std::vector<error_code> ends;
        const auto use = [](pool& of, std::vector<error_code>& out) -> task<void> {
            out.push_back(co_await code_of(of.query("SELECT pg_sleep(60)")));
        };
        for (int i = 0; i < 6; ++i)
            group.spawn("user", use(p, ends));
        while (p.waiting() < 4)
            co_await sleep_for(1ms);
        const auto before = std::chrono::steady_clock::now();
        co_await p.stop(50ms);
        co_await group.join();
        server().child().signal(SIGCONT);
        CHECK(std::chrono::steady_clock::now() - before < 1s);
        REQUIRE(ends.size() == 6);
        for (const auto& e : ends)
            CHECK((e == tiktrend::errc::stopped || e == postgres::errc::connection_lost));
        CHECK(co_await code_of(p.acquire()) == tiktrend::errc::stopped);
        co_await p.stop(); // twice is fine
    }());
    // The sessions of the dropped connections end with them.
    CHECK(testing::poll_until([] { return sessions("postgres") == 1; }));
}

TEST_CASE("a pool may be started and stopped at once, many times", "[integration][postgres][pool]") {
    run_coroutine([]() -> task<void> {
        const auto executor = co_await asio::this_coro::executor;
        for (int i = 0; i < 50; ++i) {
            pool p{executor, pool_for(server().url())};
            co_await p.stop(); // before start is fine
            p.start();
            if (i % 2) co_await sleep_for(std::chrono::microseconds{100 * i});
            co_await p.stop();
        }
    }());
}
