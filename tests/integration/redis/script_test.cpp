#include "fixture.hpp"

namespace tiktrend::redis {
namespace {

const script count{"count", "return redis.call('INCRBY', KEYS[1], ARGV[1])"};
const script echo{"echo", "return {KEYS[1], ARGV[1], #ARGV}"};
const script broken{"broken", "return redis.call('INCR', KEYS[1], 'too', 'many')"};

task<std::int64_t> add(client& c, std::string key, std::string n) {
    const std::array<std::string_view, 1> keys{key};
    const std::array<std::string_view, 1> args{n};
    co_return (co_await c.eval(count, keys, args)).integer();
}

task<void> note_sum(client& c, std::vector<std::int64_t>& out) {
    out.push_back(co_await add(c, "sum", "1"));
}

/// The calls of a command since the server started.
task<std::int64_t> calls(client& c, std::string name) {
    const auto info = co_await c.exec(command{"INFO", "commandstats"});
    const std::string text{info.text()};
    const auto at = text.find("cmdstat_" + name + ":calls=");
    co_return at == std::string::npos ? 0 : std::stoll(text.substr(at + 15 + name.size()));
}

} // namespace

TEST_CASE("a script's text travels once, its digest after that", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        co_await c.exec(command{"DEL", "n"});
        co_await c.exec(command{"SCRIPT", "FLUSH"});
        const auto evals = co_await calls(c, "eval");
        const auto shas = co_await calls(c, "evalsha");
        for (int i = 1; i <= 5; ++i)
            CHECK(co_await add(c, "n", "2") == 2 * i);
        CHECK(co_await calls(c, "eval") == evals + 1);
        CHECK(co_await calls(c, "evalsha") == shas + 4);
    });
}

TEST_CASE("keys and arguments arrive binary safe", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        const std::string odd{"a\0b\r\n", 5};
        const std::array<std::string_view, 1> keys{odd};
        const std::array<std::string_view, 2> args{"", odd};
        const auto r = co_await c.eval(echo, keys, args);
        REQUIRE(r.size() == 3);
        CHECK(r[0].text() == odd);
        CHECK(r[1].text().empty());
        CHECK(r[2].integer() == 2);
    });
}

TEST_CASE("a flushed script is sent again, and each call runs once", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        co_await c.exec(command{"DEL", "sum"});
        std::vector<std::int64_t> sums;
        for (int round = 0; round < 20; ++round) {
            task_group group{c.get_executor()};
            for (int i = 0; i < 20; ++i)
                group.spawn("add", note_sum(c, sums));
            testing::redis_server::shared().command({"SCRIPT", "FLUSH"});
            co_await group.join();
        }
        REQUIRE(sums.size() == 400);
        std::sort(sums.begin(), sums.end());
        for (std::size_t i = 0; i < sums.size(); ++i)
            REQUIRE(sums[i] == static_cast<std::int64_t>(i) + 1);
        CHECK(c.connects() == 1);
    });
}

TEST_CASE("scripts work on after the server was restarted", "[integration][redis]") {
    testing::redis_server server;
    auto body = [](testing::redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        c.start();
        co_await c.wait_connected(5s);
        CHECK(co_await add(c, "n", "1") == 1);
        s.kill();
        s.start();
        CHECK(co_await eventually([&] { return c.connects() == 2 && c.is_connected(); }));
        CHECK(co_await add(c, "n", "1") == 1);
        co_await c.stop();
    };
    testing::run_coroutine(body(server));
}

TEST_CASE("a script's own error is a reply", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        const std::array<std::string_view, 1> keys{"n"};
        for (int i = 0; i < 2; ++i) {
            const auto r = co_await c.eval(broken, keys, {});
            CHECK(r.is_error());
            CHECK(r.text().find("Wrong number of args") != std::string::npos);
        }
    });
}

TEST_CASE("a script is refused while another one runs too long", "[integration][redis]") {
    testing::redis_server::options so;
    so.arguments = {"--busy-reply-threshold", "20"};
    testing::redis_server server{so};
    auto body = [](testing::redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        client other{c.get_executor(), c.where(), quick()};
        c.start();
        other.start();
        co_await c.wait_connected(5s);
        co_await other.wait_connected(5s);
        static const script endless{"endless", "while true do end"};
        reply ended;
        auto spin = [](client& x, reply& out) -> task<void> { out = co_await x.eval(endless, {}, {}); };
        task_group group{c.get_executor()};
        group.spawn("endless", spin(other, ended));
        error_code code;
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!code && std::chrono::steady_clock::now() < end)
            code = co_await code_of(c.exec(command{"GET", "x"}));
        CHECK(code == errc::refused);
        CHECK(c.connects() == 1);
        CHECK((co_await c.exec(command{"SCRIPT", "KILL"})).text() == "OK");
        co_await group.join();
        CHECK(ended.is_error());
        CHECK((co_await c.exec(command{"GET", "x"})).is_nil());
        co_await other.stop();
        co_await c.stop();
    };
    testing::run_coroutine(body(server));
}

} // namespace tiktrend::redis
