#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

TEST_CASE("a draining server answers, says close, and still accepts", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client old{s.port()};
    old.send(get("/hello"));
    CHECK(old.read().headers.count("connection") == 0);
    s.on_thread([&] { s.server().begin_drain(); });
    old.send(get("/hello"));
    CHECK(old.read().headers.at("connection") == "close");
    CHECK(old.wait_end(5s) == raw_client::ending::orderly);
    CHECK(fetch(s.port(), get("/hello")).headers.at("connection") == "close");
}

TEST_CASE("idle connections are closed soon after a drain begins", "[integration][http]") {
    http::server_options o;
    o.drain_idle_grace = 200ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send(get("/hello"));
    c.read();
    s.on_thread([&] { s.server().begin_drain(); });
    CHECK(c.wait_end(100ms) == raw_client::ending::still_open); // a request may be on its way
    CHECK(c.wait_end(3s) == raw_client::ending::orderly);
}

TEST_CASE("stop waits for what is in flight", "[integration][http]") {
    http::server_options o;
    o.drain_idle_grace = 50ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send(get("/slow?ms=500"));
    REQUIRE(poll_until([&] { return s.requests_in_flight() == 1; }));
    s.begin_stop(10s);
    const auto r = c.read();
    CHECK(r.status == 200);
    CHECK(r.headers.at("connection") == "close");
    CHECK(s.wait_stopped(3s));
    CHECK_THROWS(raw_client{s.port()}); // nobody listens any more
    CHECK(sample_counters::slow_cancelled() == 0);
}

TEST_CASE("stop cuts off what does not end by its deadline", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client slow{s.port()}, silent{s.port()}, half{s.port()}, unread{s.port(), 4096};
    slow.send(get("/slow?ms=600000"));
    silent.send(get("/silent"));
    half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    for (int i = 0; i < 4; ++i)
        unread.send(get("/big"));
    REQUIRE(poll_until([&] { return s.requests_in_flight() == 4; }));
    const auto start = std::chrono::steady_clock::now();
    s.begin_stop(300ms);
    CHECK(s.wait_stopped(5s));
    CHECK(std::chrono::steady_clock::now() - start < 2s);
    CHECK(sample_counters::slow_cancelled() == 1);
    CHECK(sample_counters::streams_ended() == 1);
    CHECK(slow.wait_end(1s) != raw_client::ending::still_open);
    CHECK(half.wait_end(1s) != raw_client::ending::still_open);
    CHECK(s.log().find("http_connections_cut") != std::string::npos);
}

TEST_CASE("a server may be stopped before it started, and twice", "[integration][http]") {
    running_server s{sample_routes()};
    s.begin_stop(1s);
    CHECK(s.wait_stopped(3s));
    s.begin_stop(1s);
    CHECK(s.wait_stopped(3s));
    const auto body = [](asio::io_context& c) -> task<void> {
        http::server never{c.get_executor(), std::make_shared<const http::router>(), http::server_options{}};
        co_await never.stop(std::chrono::steady_clock::now());
    };
    asio::io_context context{1};
    asio::co_spawn(context, body(context), [](const std::exception_ptr& e) { CHECK_FALSE(e); });
    context.run();
}

TEST_CASE("a busy port is an error of start()", "[integration][http]") {
    running_server s{sample_routes()};
    http::server_options o;
    o.port = s.port();
    asio::io_context context{1};
    http::server second{context.get_executor(), std::make_shared<const http::router>(), o};
    CHECK_THROWS_AS(second.start(), tiktrend::system_error);
}

TEST_CASE("clients under load see no reset and no lost answer while a server drains and another takes over",
          "[integration][http]") {
    http::server_options o;
    o.reuse_port = true;
    o.drain_idle_grace = 300ms;
    o.max_connections_per_address = 0;
    auto first = std::make_unique<running_server>(sample_routes(), o);
    o.port = first->port();
    running_server second{sample_routes(), o};

    // Clients as HTTP libraries are: keep the connection until told to close it, then open another.
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0}, failed{0};
    std::vector<std::thread> clients;
    for (int t = 0; t < 4; ++t)
        clients.emplace_back([&, t] {
            std::unique_ptr<raw_client> c;
            while (!stop) {
                try {
                    if (!c) c = std::make_unique<raw_client>(o.port);
                    c->send(get(t % 2 ? "/hello" : "/slow?ms=5"));
                    const auto r = c->read();
                    if (r.status == 200) ++answered;
                    if (r.headers.count("connection")) c.reset();
                } catch (const std::exception&) {
                    ++failed;
                    c.reset();
                }
            }
        });
    REQUIRE(poll_until([&] { return answered > 500; }));
    first->on_thread([&] { first->server().begin_drain(); });
    const int at_drain = answered;
    REQUIRE(poll_until([&] { return answered > at_drain + 200; }));
    // As behind a load balancer: new connections go elsewhere before the old server stops listening.
    REQUIRE(poll_until([&] { return second.connections() > 0; }));
    stop = true;
    for (auto& c : clients)
        c.join();
    first->begin_stop(5s);
    CHECK(first->wait_stopped(5s));
    CHECK(failed == 0);
    CHECK(fetch(o.port, get("/hello")).status == 200);
}
