#include "fixture.hpp"
#include "silent_peer.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <thread>

namespace tiktrend::redis {
using testing::redis_server;

namespace {

/// Sends numbered commands until `stop`, trying again after each failure; every reply must belong to its
/// command.
task<void> keep_asking(client& c, int id, const std::atomic<bool>& stop, std::vector<std::string>& wrong,
                       int& answered) {
    for (int i = 0; !stop; ++i) {
        const auto word = std::to_string(id) + ":" + std::to_string(i);
        try {
            const auto r = co_await c.exec(command{"ECHO", word});
            if (r.text() != word) wrong.push_back(word);
            ++answered;
            continue;
        } catch (const system_error& e) {
            if (e.code() == errc::protocol_error) wrong.push_back(e.what());
        }
        co_await sleep_for(1ms);
    }
}

task<void> with_stop(client& c, task<void> body) {
    std::exception_ptr error;
    try {
        co_await std::move(body);
    } catch (...) {
        error = std::current_exception();
    }
    co_await c.stop();
    if (error) std::rethrow_exception(error);
}

} // namespace

TEST_CASE("a killed connection comes back and no reply goes to the wrong command", "[integration][redis]") {
    with_client([](client& c) -> task<void> {
        std::atomic<bool> stop = false;
        std::vector<std::string> wrong;
        int answered = 0;
        task_group group{c.get_executor()};
        for (int id = 0; id < 20; ++id)
            group.spawn("asker", keep_asking(c, id, stop, wrong, answered));
        for (int round = 0; round < 10; ++round) {
            const auto before = c.connects();
            redis_server::shared().command({"CLIENT", "KILL", "TYPE", "normal"});
            CHECK(co_await eventually([&] { return c.connects() > before; }));
            const auto sofar = answered;
            CHECK(co_await eventually([&] { return answered > sofar; }));
        }
        stop = true;
        co_await group.join();
        CHECK(wrong.empty());
    });
}

TEST_CASE("a restarted server is found again", "[integration][redis]") {
    redis_server server;
    auto body = [](redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        c.start();
        auto steps = [](client& r, redis_server& sv) -> task<void> {
            co_await r.wait_connected(5s);
            sv.kill();
            CHECK(co_await eventually([&] { return !r.is_connected(); }));
            const auto start = std::chrono::steady_clock::now();
            CHECK(co_await code_of(r.exec(command{"PING"})) == errc::not_connected);
            CHECK(std::chrono::steady_clock::now() - start < 50ms); // fails fast
            sv.start();
            co_await r.wait_connected(5s);
            CHECK((co_await r.exec(command{"PING"})).text() == "PONG");
        };
        co_await with_stop(c, steps(c, s));
    };
    testing::run_coroutine(body(server));
}

TEST_CASE("a consumer's commands wait for the connection", "[integration][redis]") {
    redis_server server;
    auto body = [](redis_server& s) -> task<void> {
        auto o = quick();
        o.wait_for_connection = true;
        client c{co_await asio::this_coro::executor, at(s.unix_url()), o};
        c.start();
        auto steps = [](client& r, redis_server& sv) -> task<void> {
            CHECK((co_await r.exec(command{"PING"})).text() == "PONG"); // not connected yet when called
            sv.kill();
            CHECK(co_await eventually([&] { return !r.is_connected(); }));
            std::string said;
            auto ask = [](client& x, std::string& out) -> task<void> {
                const auto reply = co_await x.exec(command{"ECHO", "later"});
                out = reply.text();
            };
            task_group group{r.get_executor()};
            group.spawn("asker", ask(r, said));
            co_await sleep_for(20ms);
            CHECK(said.empty());
            sv.start();
            co_await group.join();
            CHECK(said == "later");
        };
        co_await with_stop(c, steps(c, s));
    };
    testing::run_coroutine(body(server));
}

TEST_CASE("a consumer's wait for the connection is bounded by the command timeout", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto o = quick();
        o.wait_for_connection = true;
        o.command_timeout = 60ms;
        client c{co_await asio::this_coro::executor, at("unix:///nonexistent/redis.sock"), o};
        c.start();
        auto steps = [](client& r) -> task<void> {
            const auto start = std::chrono::steady_clock::now();
            CHECK(co_await code_of(r.exec(command{"PING"})) == errc::not_connected);
            CHECK(std::chrono::steady_clock::now() - start >= 60ms);
            const auto what = [](client& x) -> task<std::string> {
                try {
                    co_await x.wait_connected(10ms);
                } catch (const system_error& e) {
                    co_return e.what();
                }
                co_return "";
            };
            // Names the server and the cause.
            const auto text = co_await what(r);
            CHECK(text.find("unix:///nonexistent/redis.sock") != std::string::npos);
            CHECK(text.find("No such file") != std::string::npos);
        };
        co_await with_stop(c, steps(c));
    };
    testing::run_coroutine(body());
}

TEST_CASE("a peer that connects and never speaks is given up", "[integration][redis]") {
    asio::io_context io{1};
    silent_peer peer{io, 0};
    auto body = [](silent_peer& p) -> task<void> {
        auto o = quick();
        o.connect_timeout = 50ms;
        client c{co_await asio::this_coro::executor, at(p.url()), o};
        c.start();
        auto steps = [](client& r, silent_peer& q) -> task<void> {
            CHECK(co_await eventually([&] { return q.accepted() >= 3 && q.closed() >= 2; }));
            CHECK_FALSE(r.is_connected());
        };
        co_await with_stop(c, steps(c, p));
    };
    testing::run_on(io, body(peer));
}

TEST_CASE("the watchdog drops a connection that fell silent", "[integration][redis]") {
    asio::io_context io{1};
    silent_peer peer{io, 1}; // answers the handshake, then nothing
    auto body = [](silent_peer& p) -> task<void> {
        auto o = quick();
        o.command_timeout = 80ms;
        client c{co_await asio::this_coro::executor, at(p.url()), o};
        c.start();
        auto steps = [](client& r, silent_peer& q) -> task<void> {
            co_await r.wait_connected(5s);
            co_await sleep_for(100ms); // an idle connection is no silent one
            CHECK(r.connects() == 1);
            const auto start = std::chrono::steady_clock::now();
            CHECK(co_await code_of(r.exec(command{"GET", "x"})) == errc::timed_out);
            const auto took = std::chrono::steady_clock::now() - start;
            CHECK(took >= 75ms);
            CHECK(took < 1s);
            CHECK(co_await eventually([&] { return r.connects() == 2 && q.closed() == 1; }));
        };
        co_await with_stop(c, steps(c, p));
    };
    testing::run_on(io, body(peer));
}

TEST_CASE("a process that was held up reads what came meanwhile before it blames the peer",
          "[integration][redis]") {
    auto o = quick();
    o.command_timeout = 50ms;
    with_client(
        [](client& c) -> task<void> {
            std::vector<std::string> wrong;
            task_group group{c.get_executor()};
            for (int i = 0; i < 20; ++i) {
                std::string said;
                auto ask = [](client& r, std::string& out) -> task<void> {
                    const auto reply = co_await r.exec(command{"ECHO", "here"});
                    out = reply.text();
                };
                group.spawn("ask", ask(c, said));
                co_await sleep_for(std::chrono::microseconds{10 * i}); // it may be on its way
                std::this_thread::sleep_for(60ms);                     // as SIGSTOP does
                co_await group.join();
                CHECK(said == "here");
            }
            CHECK(c.connects() == 1);
        },
        o);
}

TEST_CASE("stop ends at once in every state", "[integration][redis]") {
    asio::io_context io{1};
    silent_peer never_speaks{io, 0};
    silent_peer falls_silent{io, 1};
    auto body = [](std::string url, bool ask) -> task<void> {
        client c{co_await asio::this_coro::executor, at(url), client_options{}};
        c.start();
        task_group group{c.get_executor()};
        error_code code;
        auto waiter = [](client& r, error_code& out) -> task<void> {
            co_await r.wait_connected(5s);
            out = co_await code_of(r.exec(command{"GET", "x"}));
        };
        if (ask) group.spawn("waiter", waiter(c, code));
        co_await sleep_for(20ms);
        const auto start = std::chrono::steady_clock::now();
        co_await c.stop();
        co_await group.join();
        CHECK(std::chrono::steady_clock::now() - start < 200ms);
        if (ask) CHECK(code == errc::connection_lost);
    };
    testing::run_on(io, body(never_speaks.url(), false));
    testing::run_on(io, body(falls_silent.url(), true));
    testing::run_on(io, body("unix:///nonexistent/redis.sock", false));
    testing::run_on(io, body("redis://127.0.0.1:1", false));
    testing::run_on(io, body(redis_server::shared().unix_url(), false));
}

TEST_CASE("starting and stopping a hundred times leaves nothing behind", "[integration][redis]") {
    auto body = [](std::string url) -> task<void> {
        for (int i = 0; i < 100; ++i) {
            client c{co_await asio::this_coro::executor, at(url), quick()};
            c.start();
            if (i % 3 == 1) co_await c.wait_connected(5s);
            if (i % 3 == 2) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            co_await c.stop();
        }
    };
    testing::run_coroutine(body(redis_server::shared().unix_url()));
}

TEST_CASE("a server that is loading is not ready, and is used once it has loaded", "[integration][redis]") {
    redis_server::options so;
    so.append_only = true;
    so.arguments = {"--key-load-delay",
                    "2000",
                    "--enable-debug-command",
                    "yes",
                    "--loading-process-events-interval-bytes",
                    "1024"};
    redis_server server{so};
    for (int i = 0; i < 3; ++i)
        server.command({"DEBUG", "POPULATE", "1", "k" + std::to_string(i)});
    server.command({"SET", "kept", "yes"});
    server.command({"BGREWRITEAOF"});
    auto body = [](redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        c.start();
        auto steps = [](client& r, redis_server& sv) -> task<void> {
            co_await r.wait_connected(5s);
            // DEBUG RELOAD loads in the foreground while other connections are served with -LOADING.
            sv.command({"CONFIG", "SET", "key-load-delay", "20000"});
            task_group group{r.get_executor()};
            std::vector<error_code> codes;
            auto reload = [](client& x) -> task<void> {
                co_await code_of(x.exec(command{"DEBUG", "RELOAD"}));
            };
            auto ask = [](client& x, std::vector<error_code>& out) -> task<void> {
                for (;;) {
                    out.push_back(co_await code_of(x.exec(command{"GET", "kept"})));
                    if (!out.back()) co_return;
                    co_await sleep_for(2ms);
                }
            };
            client other{r.get_executor(), r.where(), quick()};
            other.start();
            co_await other.wait_connected(5s);
            group.spawn("reload", reload(other));
            co_await sleep_for(5ms);
            group.spawn("ask", ask(r, codes));
            co_await group.join();
            co_await other.stop();
            CHECK_FALSE(codes.back().failed());
            for (const auto& e : codes) {
                CAPTURE(e.message());
                CHECK((!e || e == errc::not_ready || e == errc::not_connected));
            }
        };
        co_await with_stop(c, steps(c, s));
    };
    testing::run_coroutine(body(server), 60s);
}

TEST_CASE("a replica's READONLY ends the connection after the replies before it", "[integration][redis]") {
    redis_server replica;
    auto body = [](redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        c.start();
        auto steps = [](client& r, redis_server& sv) -> task<void> {
            co_await r.wait_connected(5s);
            co_await r.exec(command{"SET", "x", "1"});
            sv.command({"REPLICAOF", "127.0.0.1", "1"});
            error_code first;
            error_code write;
            error_code last;
            auto note = [](client& q, command words, error_code& out) -> task<void> {
                out = co_await code_of(q.exec(words));
            };
            task_group group{r.get_executor()};
            group.spawn("read", note(r, command{"GET", "x"}, first));
            group.spawn("write", note(r, command{"SET", "x", "2"}, write));
            group.spawn("read", note(r, command{"GET", "x"}, last));
            co_await group.join();
            CHECK_FALSE(first.failed());
            CHECK(write == errc::not_ready);
            CHECK_FALSE(last.failed());
            sv.command({"REPLICAOF", "NO", "ONE"});
            CHECK(co_await eventually([&] { return r.is_connected() && r.connects() >= 2; }));
            CHECK((co_await r.exec(command{"SET", "x", "3"})).text() == "OK");
        };
        co_await with_stop(c, steps(c, s));
    };
    testing::run_coroutine(body(replica));
}

TEST_CASE("a server without memory refuses writes and keeps the connection", "[integration][redis]") {
    redis_server server;
    auto body = [](redis_server& s) -> task<void> {
        client c{co_await asio::this_coro::executor, at(s.unix_url()), quick()};
        c.start();
        auto steps = [](client& r, redis_server& sv) -> task<void> {
            co_await r.wait_connected(5s);
            sv.command({"CONFIG", "SET", "maxmemory", "1"});
            CHECK(co_await code_of(r.exec(command{"SET", "x", "1"})) == errc::refused);
            CHECK((co_await r.exec(command{"GET", "x"})).is_nil());
            CHECK(r.connects() == 1);
            sv.command({"CONFIG", "SET", "maxmemory", "0"});
            CHECK((co_await r.exec(command{"SET", "x", "1"})).text() == "OK");
        };
        co_await with_stop(c, steps(c, s));
    };
    testing::run_coroutine(body(server));
}

TEST_CASE("a peer that does not speak RESP is a protocol error", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto executor = co_await asio::this_coro::executor;
        asio::ip::tcp::acceptor acceptor{executor,
                                         asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
        auto serve = [](asio::ip::tcp::acceptor& a) -> task<void> {
            auto s = co_await a.async_accept(asio::use_awaitable);
            co_await asio::async_write(s, asio::buffer("HTTP/1.1 400 Bad Request\r\n\r\n", 28),
                                       asio::use_awaitable);
        };
        task_group group{executor};
        group.spawn("server", serve(acceptor));
        auto o = quick();
        o.reconnect_min = o.reconnect_max = 10s;
        client c{executor, at("redis://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())), o};
        c.start();
        auto wait = [](client& r) -> task<std::string> {
            try {
                co_await r.wait_connected(100ms);
            } catch (const system_error& e) {
                co_return e.what();
            }
            co_return "";
        };
        CHECK((co_await wait(c)).find("RESP2") != std::string::npos);
        co_await c.stop();
        co_await group.join();
    };
    testing::run_coroutine(body());
}

} // namespace tiktrend::redis
