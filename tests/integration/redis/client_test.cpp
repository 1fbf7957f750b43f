#include "fixture.hpp"

namespace tiktrend::redis {

namespace {

task<void> count_up(client& c, int id, int rounds, std::vector<std::string>& wrong) {
    for (int i = 0; i < rounds; ++i) {
        const auto word = std::to_string(id) + ":" + std::to_string(i);
        const auto r = co_await c.exec(command{"ECHO", word});
        if (r.text() != word) wrong.push_back(word + " got " + std::string{r.text()});
    }
}

task<void> note_code(task<reply> work, error_code& out) {
    out = co_await code_of(std::move(work));
}

} // namespace

TEST_CASE("commands of many coroutines get their own replies", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        std::vector<std::string> wrong;
        task_group group{c.get_executor()};
        for (int id = 0; id < 100; ++id)
            group.spawn("counter", count_up(c, id, 200, wrong));
        co_await group.join();
        CHECK(wrong.empty());
        CHECK(c.connects() == 1);
    });
}

TEST_CASE("commands that are ready together leave in one write", "[integration][redis]") {
    testing::redis_server server;
    auto body = [](testing::redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        c.start();
        co_await c.wait_connected(5s);
        const auto reads = [&c]() -> task<std::int64_t> {
            const auto info = co_await c.exec(command{"INFO", "stats"});
            const std::string text{info.text()};
            const auto i = text.find("total_reads_processed:");
            REQUIRE(i != std::string::npos);
            co_return std::stoll(text.substr(i + 22));
        };
        const auto before = co_await reads();
        std::vector<std::string> wrong;
        {
            task_group group{c.get_executor()};
            for (int id = 0; id < 100; ++id)
                group.spawn("counter", count_up(c, id, 10, wrong));
            co_await group.join();
        }
        const auto after = co_await reads();
        CHECK(wrong.empty());
        // 1,000 commands in ten rounds; a few extra reads when the kernel cuts a write.
        CHECK(after - before <= 40);
        co_await c.stop();
    };
    testing::run_coroutine(body(server));
}

TEST_CASE("several commands go in one call and answer in order", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        const std::vector<command> list{command{"SET", "all", "1"}, command{"INCR", "all"},
                                        command{"LPUSH", "all", "x"}, command{"GET", "all"},
                                        command{"DEL", "all"}};
        const auto r = co_await c.exec_all(list);
        REQUIRE(r.size() == 5);
        CHECK(r[0].text() == "OK");
        CHECK(r[1].integer() == 2);
        CHECK(r[2].is_error());
        CHECK(r[2].text().starts_with("WRONGTYPE"));
        CHECK(r[3].text() == "2");
        CHECK(r[4].integer() == 1);
        CHECK((co_await c.exec_all({})).empty());
    });
}

TEST_CASE("large values travel both ways", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        std::string value(5U << 20, '\0');
        for (std::size_t i = 0; i < value.size(); ++i)
            value[i] = static_cast<char>(i * 31);
        co_await c.exec(command{"SET", "large", value});
        const auto r = co_await c.exec(command{"GET", "large"});
        CHECK((r.text() == value));
        co_await c.exec(command{"DEL", "large"});
    });
}

TEST_CASE("a reply above the limit ends the connection, and the next one works", "[integration][redis]") {
    auto o = quick();
    o.max_reply_bytes = 100'000;
    with_client(
        [](client& c) -> task<void> {
            const std::string value(200'000, 'x');
            co_await c.exec(command{"SET", "huge", value});
            CHECK(co_await code_of(c.exec(command{"GET", "huge"})) == errc::protocol_error);
            co_await c.wait_connected(5s);
            CHECK((co_await c.exec(command{"STRLEN", "huge"})).integer() == 200'000);
            CHECK(c.connects() == 2);
            co_await c.exec(command{"DEL", "huge"});
        },
        o);
}

TEST_CASE("cancelling a command ends its wait and leaves the others alone", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        error_code cancelled;
        error_code other;
        task_group group{c.get_executor()};
        task_group rest{c.get_executor()};
        // The server answers after the pause, so that the cancellation comes first.
        co_await c.exec(command{"CLIENT", "PAUSE", 200, "ALL"});
        group.spawn("cancelled", note_code(c.exec(command{"ECHO", "a"}), cancelled));
        rest.spawn("other", note_code(c.exec(command{"ECHO", "b"}), other));
        co_await sleep_for(5ms);
        const auto start = std::chrono::steady_clock::now();
        group.cancel();
        co_await group.join();
        CHECK(std::chrono::steady_clock::now() - start < 100ms);
        CHECK(is_cancelled(cancelled));
        co_await rest.join();
        CHECK_FALSE(other.failed());
        CHECK((co_await c.exec(command{"ECHO", "c"})).text() == "c");
        CHECK(c.connects() == 1);
    });
}

TEST_CASE("cancelling several commands of one call ends it at once", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        static const std::vector<command> list{command{"ECHO", "a"}, command{"ECHO", "b"},
                                               command{"ECHO", "c"}};
        const auto run = [](client& r, error_code& out) -> task<void> {
            out = co_await code_of(r.exec_all(list));
        };
        error_code code;
        task_group group{c.get_executor()};
        co_await c.exec(command{"CLIENT", "PAUSE", 200, "ALL"});
        group.spawn("all", run(c, code));
        co_await sleep_for(5ms);
        group.cancel();
        co_await group.join();
        CHECK(is_cancelled(code));
        CHECK((co_await c.exec(command{"ECHO", "d"})).text() == "d");
    });
}

TEST_CASE("a deadline around a command holds", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        co_await c.exec(command{"CLIENT", "PAUSE", 200, "ALL"});
        CHECK(co_await code_of(within(10ms, c.exec(command{"PING"}))) == tiktrend::errc::timed_out);
        CHECK((co_await c.exec(command{"ECHO", "x"})).text() == "x");
    });
}

TEST_CASE("the bound on waiting commands is kept", "[integration][redis]") {
    auto o = quick();
    o.max_waiting = 3;
    with_client(
        [](client& c) -> task<void> {
            co_await c.exec(command{"CLIENT", "PAUSE", 50, "ALL"});
            std::array<error_code, 4> codes;
            task_group group{c.get_executor()};
            for (auto& e : codes)
                group.spawn("one", note_code(c.exec(command{"PING"}), e));
            co_await group.join();
            CHECK_FALSE(codes[2].failed());
            CHECK(codes[3] == errc::too_many_waiting);
        },
        o);
}

TEST_CASE("database and client name are set on every connection", "[integration][redis]") {
    auto& server = testing::redis_server::shared();
    auto where = at(server.unix_url());
    where.database = 3;
    auto o = quick("tester");
    o.no_evict = true;
    testing::run_coroutine(with_client_on(where, o, [](client& c) -> task<void> {
        for (int round = 0; round < 2; ++round) {
            const auto r = co_await c.exec(command{"CLIENT", "INFO"});
            const std::string info{r.text()};
            CHECK(info.find(" db=3 ") != std::string::npos);
            CHECK(info.find(" name=tester ") != std::string::npos);
            const auto flags = info.find(" flags=") + 7;
            CHECK(info.substr(flags, info.find(' ', flags) - flags).find('e') != std::string::npos);
            if (round == 0) {
                co_await code_of(c.exec(command{"CLIENT", "KILL", "SKIPME", "NO", "TYPE", "NORMAL"}));
                CHECK(co_await eventually([&c] { return c.connects() == 2; }));
            }
        }
    }));
}

TEST_CASE("a client works over TCP", "[integration][redis]") {
    testing::run_coroutine(
        with_client_on(at(testing::redis_server::shared().url()), quick(), [](client& c) -> task<void> {
            CHECK((co_await c.exec(command{"ECHO", "tcp"})).text() == "tcp");
        }));
}

TEST_CASE("a client that was never started or was stopped says so", "[integration][redis]") {
    auto body = [](std::string url) -> task<void> {
        client c{co_await asio::this_coro::executor, at(url), quick()};
        CHECK(co_await code_of(c.exec(command{"PING"})) == tiktrend::errc::stopped);
        co_await c.stop();
        c.start(); // after stop(): nothing happens
        CHECK(co_await code_of(c.exec(command{"PING"})) == tiktrend::errc::stopped);
        CHECK(co_await code_of(c.wait_connected(1s)) == tiktrend::errc::stopped);
        co_await c.stop();
    };
    testing::run_coroutine(body(testing::redis_server::shared().unix_url()));
}

} // namespace tiktrend::redis
