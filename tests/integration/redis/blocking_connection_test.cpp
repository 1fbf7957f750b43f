#include "fixture.hpp"
#include "silent_peer.hpp"

#include <tiktrend/redis/blocking_connection.hpp>

namespace tiktrend::redis {
namespace {

using testing::redis_server;

/// Blocking clients that the server sees.
int blocked(const redis_server& s) {
    const auto info = s.command({"INFO", "clients"});
    return std::stoi(info.substr(info.find("blocked_clients:") + 16));
}

task<void> pop(blocking_connection& b, std::chrono::milliseconds block, reply& out, error_code& code) {
    const auto seconds = std::to_string(static_cast<double>(block.count()) / 1000);
    const command c{"BLPOP", "queue", seconds};
    try {
        out = co_await b.exec(c, block);
    } catch (const system_error& e) {
        code = e.code();
    }
}

/// A connection and what its last pop brought.
struct popper {
    explicit popper(asio::any_io_executor e, redis_server& s, client_options o = quick())
        : server{s}, b{e, at(s.unix_url()), std::move(o)}, group{e} {}

    redis_server& server;
    blocking_connection b;
    reply r;
    error_code code;
    task_group group;

    /// Begins a pop in `group`; the server holds it when this ends.
    task<void> begin(std::chrono::milliseconds block = 60s) {
        group.spawn("pop", pop(b, block, r, code));
        CHECK(co_await eventually([this] { return blocked(server) == 1; }));
    }
    task<void> pop_now(std::chrono::milliseconds block) { // no coroutine
        code = {};
        return pop(b, block, r, code);
    }
};

} // namespace

TEST_CASE("a blocking command gets its element, or nil after its own timeout", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto& s = redis_server::shared();
        s.command({"DEL", "queue"});
        popper p{co_await asio::this_coro::executor, s, quick("waiter")};
        co_await p.pop_now(20ms);
        CHECK_FALSE(p.code.failed());
        CHECK(p.r.is_nil());
        co_await p.begin(5s);
        CHECK(s.command({"CLIENT", "LIST"}).find("name=waiter") != std::string::npos);
        s.command({"RPUSH", "queue", "x"});
        co_await p.group.join();
        CHECK_FALSE(p.code.failed());
        CHECK(p.r[1].text() == "x");
    };
    testing::run_coroutine(body());
}

TEST_CASE("a connection that is closed by its user is made anew without a back-off", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto& s = redis_server::shared();
        s.command({"DEL", "queue"});
        client_options slow;
        slow.reconnect_min = 10s;
        blocking_connection b{co_await asio::this_coro::executor, at(s.unix_url()), slow};
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < 5; ++i) {
            reply r;
            error_code code;
            co_await pop(b, 10ms, r, code);
            CHECK_FALSE(code.failed());
            b.close();
        }
        CHECK(std::chrono::steady_clock::now() - begin < 3s);
    };
    testing::run_coroutine(body());
}

TEST_CASE("a cancelled blocking command is forgotten by the server, so no element is lost",
          "[integration][redis]") {
    auto body = []() -> task<void> {
        auto& s = redis_server::shared();
        s.command({"DEL", "queue"});
        popper p{co_await asio::this_coro::executor, s};
        co_await p.begin();
        p.group.cancel();
        co_await p.group.join();
        CHECK(is_cancelled(p.code));
        CHECK(co_await eventually([&] { return blocked(s) == 0; }));
        s.command({"RPUSH", "queue", "kept"});
        CHECK(s.command({"LLEN", "queue"}) == "1");
        co_await p.pop_now(5s); // connects again
        CHECK_FALSE(p.code.failed());
        CHECK(p.r[1].text() == "kept");
    };
    testing::run_coroutine(body());
}

namespace {

task<void> pop_and_count(blocking_connection& b, std::chrono::milliseconds block,
                         std::pair<reply, reply>& out, error_code& code) {
    const command c{"BLPOP", "queue", std::to_string(static_cast<double>(block.count()) / 1000)};
    const command behind{"INCR", "count"};
    try {
        out = co_await b.exec_with(c, behind, block);
    } catch (const system_error& e) {
        code = e.code();
    }
}

} // namespace

TEST_CASE("a command behind a blocking one runs when that has its reply", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto& s = redis_server::shared();
        s.command({"DEL", "queue", "count"});
        blocking_connection b{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        std::pair<reply, reply> both;
        error_code code;
        task_group group{co_await asio::this_coro::executor};
        group.spawn("pop", pop_and_count(b, 20s, both, code));
        CHECK(co_await eventually([&] { return blocked(s) == 1; }));
        CHECK(s.command({"EXISTS", "count"}) == "0");
        s.command({"RPUSH", "queue", "x"});
        co_await group.join();
        CHECK_FALSE(code.failed());
        CHECK(both.first[1].text() == "x");
        CHECK(both.second.integer() == 1);
        co_await pop_and_count(b, 20ms, both, code); // also when there was nothing
        CHECK_FALSE(code.failed());
        CHECK(both.first.is_nil());
        CHECK(both.second.integer() == 2);
        s.command({"SET", "queue", "no list"});
        co_await pop_and_count(b, 20ms, both, code);
        CHECK_FALSE(code.failed());
        CHECK(both.first.is_error());
        CHECK(both.second.integer() == 3);
    };
    testing::run_coroutine(body());
}

TEST_CASE("finish ends a wait so that nothing behind it runs any more", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto& s = redis_server::shared();
        s.command({"DEL", "queue", "count"});
        blocking_connection b{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        std::pair<reply, reply> both;
        error_code code;
        task_group group{co_await asio::this_coro::executor};
        group.spawn("pop", pop_and_count(b, 20s, both, code));
        CHECK(co_await eventually([&] { return blocked(s) == 1; }));
        b.finish();
        co_await group.join();
        CHECK(code == errc::not_connected);
        CHECK(is_certainly_not_executed(code));
        s.command({"RPUSH", "queue", "kept"});
        CHECK(s.command({"EXISTS", "count"}) == "0");
        code = {};
        co_await pop_and_count(b, 5s, both, code); // connects again
        CHECK_FALSE(code.failed());
        CHECK(both.first[1].text() == "kept");
        CHECK(both.second.integer() == 1);
        b.finish(); // nothing runs: as close()
    };
    testing::run_coroutine(body());
}

TEST_CASE("close ends a running blocking command, and the next one connects again", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto& s = redis_server::shared();
        s.command({"DEL", "queue"});
        popper p{co_await asio::this_coro::executor, s};
        co_await p.begin();
        p.b.close();
        p.b.close();
        co_await p.group.join();
        CHECK(p.code == errc::connection_lost);
        co_await p.pop_now(10ms);
        CHECK_FALSE(p.code.failed());
    };
    testing::run_coroutine(body());
}

TEST_CASE("close ends the wait for a connection too", "[integration][redis]") {
    asio::io_context io{1};
    silent_peer peer{io, 0};
    auto body = [](std::string url) -> task<void> {
        auto o = client_options{};
        o.reconnect_min = o.reconnect_max = 10s;
        blocking_connection b{co_await asio::this_coro::executor, at(url), o};
        const auto start = std::chrono::steady_clock::now();
        for (int round = 0; round < 2; ++round) { // first in the handshake, then in the back-off
            reply r;
            error_code code;
            task_group group{co_await asio::this_coro::executor};
            group.spawn("pop", pop(b, 60s, r, code));
            co_await sleep_for(20ms);
            b.close();
            co_await group.join();
            CHECK(code == errc::connection_lost);
        }
        CHECK(std::chrono::steady_clock::now() - start < 1s);
    };
    testing::run_on(io, body(peer.url()));
}

TEST_CASE("a half-open connection is given up a little after the command's timeout", "[integration][redis]") {
    asio::io_context io{1};
    silent_peer peer{io, 1};
    auto body = [](silent_peer& p) -> task<void> {
        blocking_connection b{co_await asio::this_coro::executor, at(p.url()), quick()};
        const command c{"BZPOPMIN", "marker", "0.05"};
        const auto start = std::chrono::steady_clock::now();
        CHECK(co_await code_of(b.exec(c, 50ms, 50ms)) == errc::timed_out);
        const auto took = std::chrono::steady_clock::now() - start;
        CHECK(took >= 100ms);
        CHECK(took < 1s);
        CHECK(co_await eventually([&] { return p.closed() == 1; }));
        CHECK(co_await code_of(b.exec(c, 50ms, 50ms)) == errc::timed_out); // a new connection, as silent
        CHECK(p.accepted() == 2);
    };
    testing::run_on(io, body(peer));
}

TEST_CASE("a killed server ends the wait, and the next command finds it again", "[integration][redis]") {
    redis_server server;
    auto body = [](redis_server& s) -> task<void> {
        popper p{co_await asio::this_coro::executor, s};
        co_await p.begin();
        s.kill();
        co_await p.group.join();
        CHECK(p.code == errc::connection_lost);
        co_await p.pop_now(10ms);
        CHECK(p.code == errc::not_connected);
        s.start();
        co_await p.pop_now(10ms);
        CHECK_FALSE(p.code.failed());
    };
    testing::run_coroutine(body(server));
}

} // namespace tiktrend::redis
