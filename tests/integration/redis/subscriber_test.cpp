#include "fixture.hpp"
#include "silent_peer.hpp"

#include <tiktrend/redis/subscriber.hpp>

#include <signal.h>

namespace tiktrend::redis {
namespace {

using testing::redis_server;

/// What a subscriber said, one word each: "connected", "flush", "key K", "message C M".
struct journal {
    std::vector<std::string> lines;

    subscriber::handlers handlers() {
        subscriber::handlers h;
        h.on_connected = [this] { lines.push_back("connected"); };
        h.on_flush = [this] { lines.push_back("flush"); };
        h.on_invalidate = [this](std::string_view k) { lines.push_back("key " + std::string{k}); };
        h.on_message = [this](std::string_view c, std::string_view m) {
            lines.push_back("message " + std::string{c} + ' ' + std::string{m});
        };
        return h;
    }
    std::size_t count(std::string_view line) const {
        return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
    }
};

using subscriber_test = task<void> (*)(redis_server&, subscriber&, journal&);

task<void> with_subscriber_on(redis_server& s, subscriber_test body) {
    journal seen;
    subscriber sub{co_await asio::this_coro::executor, at(s.unix_url()), seen.handlers(), quick("listener")};
    sub.subscribe("news");
    sub.track("a:");
    sub.track("b:");
    sub.start();
    std::exception_ptr error;
    try {
        REQUIRE(co_await eventually([&] { return sub.is_connected(); }));
        co_await body(s, sub, seen);
    } catch (...) {
        error = std::current_exception();
    }
    co_await sub.stop();
    CHECK_FALSE(sub.is_connected());
    if (error) std::rethrow_exception(error);
}

void with_subscriber(subscriber_test body) {
    redis_server server;
    testing::run_coroutine(with_subscriber_on(server, body));
}

} // namespace

TEST_CASE("messages of a subscribed channel arrive, others do not", "[integration][redis]") {
    with_subscriber([](redis_server& s, subscriber&, journal& seen) -> task<void> {
        s.command({"PUBLISH", "other", "no"});
        CHECK(s.command({"PUBLISH", "news", "hello"}) == "1");
        CHECK(co_await eventually([&] { return seen.lines.size() >= 2; }));
        CHECK(seen.lines == std::vector<std::string>{"connected", "message news hello"});
    });
}

TEST_CASE("changes of tracked keys arrive, whoever makes them and however", "[integration][redis]") {
    with_subscriber([](redis_server& s, subscriber&, journal& seen) -> task<void> {
        s.command({"SET", "a:1", "x"});
        s.command({"SET", "c:1", "x"});
        s.command({"DEL", "a:1"});
        s.command({"EVAL", "redis.call('SET','a:2','x') redis.call('SET','b:2','x')", "0"});
        CHECK(co_await eventually([&] { return seen.count("key a:2") + seen.count("key b:2") == 2; }));
        CHECK(seen.count("key a:1") == 2);
        CHECK(seen.count("key c:1") == 0);
        CHECK(seen.count("flush") == 0);
    });
}

TEST_CASE("a tracked key that expires arrives", "[integration][redis]") {
    with_subscriber([](redis_server& s, subscriber&, journal& seen) -> task<void> {
        s.command({"SET", "a:short", "x", "PX", "20"});
        CHECK(co_await eventually([&] { return seen.count("key a:short") == 2; }));
    });
}

TEST_CASE("FLUSHALL says that everything may have changed", "[integration][redis]") {
    with_subscriber([](redis_server& s, subscriber& sub, journal& seen) -> task<void> {
        s.command({"FLUSHALL"});
        CHECK(co_await eventually([&] { return seen.count("flush") == 1; }));
        CHECK(sub.is_connected());
    });
}

TEST_CASE("a lost connection says so, and tracking works on the next one", "[integration][redis]") {
    with_subscriber([](redis_server& s, subscriber&, journal& seen) -> task<void> {
        s.command({"CLIENT", "KILL", "TYPE", "pubsub"});
        CHECK(co_await eventually([&] { return seen.count("connected") == 2; }));
        CHECK(seen.lines == std::vector<std::string>{"connected", "flush", "connected"});
        s.command({"SET", "b:1", "x"});
        CHECK(co_await eventually([&] { return seen.count("key b:1") == 1; }));
        s.kill();
        CHECK(co_await eventually([&] { return seen.count("flush") == 2; }));
        s.start();
        CHECK(co_await eventually([&] { return seen.count("connected") == 3; }));
        s.command({"SET", "b:2", "x"});
        s.command({"PUBLISH", "news", "again"});
        CHECK(co_await eventually([&] { return seen.count("message news again") == 1; }));
        CHECK(seen.count("key b:2") == 1);
    });
}

TEST_CASE("an idle subscriber stays, since the server answers its questions", "[integration][redis]") {
    auto body = []() -> task<void> {
        journal seen;
        auto o = quick();
        o.command_timeout = 100ms;
        subscriber sub{co_await asio::this_coro::executor, at(redis_server::shared().unix_url()),
                       seen.handlers(), o};
        sub.track("idle:");
        sub.start();
        CHECK(co_await eventually([&] { return sub.is_connected(); }));
        co_await sleep_for(400ms);
        CHECK(seen.lines == std::vector<std::string>{"connected"});
        co_await sub.stop();
    };
    testing::run_coroutine(body());
}

TEST_CASE("a subscriber whose peer fell silent says so", "[integration][redis]") {
    redis_server server;
    auto body = [](redis_server& s) -> task<void> {
        journal seen;
        auto o = quick();
        o.command_timeout = 50ms;
        subscriber sub{co_await asio::this_coro::executor, at(s.unix_url()), seen.handlers(), o};
        sub.track("a:");
        sub.start();
        CHECK(co_await eventually([&] { return sub.is_connected(); }));
        s.child().signal(SIGSTOP); // accepts bytes, answers nothing
        CHECK(co_await eventually([&] { return seen.count("flush") == 1; }));
        s.child().signal(SIGCONT);
        CHECK(co_await eventually([&] { return seen.count("connected") == 2; }));
        co_await sub.stop();
    };
    testing::run_coroutine(body(server));
}

TEST_CASE("prefixes that overlap are refused by the server and reported", "[integration][redis]") {
    std::vector<std::string> lines;
    auto body = [](std::vector<std::string>& out) -> task<void> {
        auto o = quick();
        o.log = logger::to_sink(log_level::warn, [&out](std::string_view line) { out.emplace_back(line); });
        subscriber sub{co_await asio::this_coro::executor, at(redis_server::shared().unix_url()), {}, o};
        sub.track("a:");
        sub.track("a:b:");
        sub.start();
        CHECK(co_await eventually([&] { return !out.empty(); }));
        CHECK(out[0].find("overlaps") != std::string::npos);
        CHECK_FALSE(sub.is_connected());
        co_await sub.stop();
    };
    testing::run_coroutine(body(lines));
}

TEST_CASE("a subscriber stops at once in every state", "[integration][redis]") {
    asio::io_context io{1};
    silent_peer peer{io, 0};
    auto body = [](std::string url) -> task<void> {
        subscriber sub{co_await asio::this_coro::executor, at(url), {}, client_options{}};
        sub.track("a:");
        sub.start();
        co_await sleep_for(10ms);
        const auto start = std::chrono::steady_clock::now();
        co_await sub.stop();
        co_await sub.stop();
        CHECK(std::chrono::steady_clock::now() - start < 200ms);
    };
    testing::run_on(io, body(peer.url()));
    testing::run_on(io, body("unix:///nonexistent/redis.sock"));
    testing::run_on(io, body(redis_server::shared().unix_url()));
}

} // namespace tiktrend::redis
