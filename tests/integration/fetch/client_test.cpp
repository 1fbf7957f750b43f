#include "raw_server.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;
using fetch::failure_class;

namespace {

task<void> send(raw_server::socket& s, std::string bytes) {
    co_await asio::async_write(s, asio::buffer(bytes), asio::use_awaitable);
}

/// Sends `piece` every `pause` until the peer goes.
task<bool> drip(raw_server::socket& s, std::string piece, std::chrono::milliseconds pause) {
    for (;;) {
        co_await send(s, piece);
        co_await sleep_for(pause);
    }
}

task<void> fetch_and_count(fetch::client& client, std::string url, int& done) {
    const auto out = co_await get(client, std::move(url));
    if (out && out->status == 200) ++done;
}

task<void> fetch_into(fetch::client& client, std::string url, std::string& out) {
    out = verdict(co_await get(client, std::move(url)));
}

} // namespace

TEST_CASE("a response comes with its status, headers, body and numbers", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/x", raw_server::ok("hello", "ETag: \"1\"\r\nContent-Type: text/plain\r\n"));
        const auto out = co_await get(client, server.url("/x?q=1"));
        REQUIRE(out.has_value());
        CHECK(out->status == 200);
        CHECK(out->body == "hello");
        CHECK(out->header_value("etag") == "\"1\"");
        CHECK(out->url == server.url("/x?q=1"));
        CHECK(out->redirects.empty());
        CHECK(out->bytes_received == 5);
        CHECK(out->http_version == 11);
        CHECK(out->connect_time.count() > 0);
        CHECK(out->total_time >= out->first_byte_time);
        const auto& head = server.requests.at(0);
        CHECK(head.find("GET /x?q=1 HTTP/1.1\r\n") == 0);
        CHECK(head.find("User-Agent: TikTrendBot/0.1\r\n") != std::string::npos);
        CHECK(head.find("Accept-Encoding: gzip, deflate, br, zstd\r\n") != std::string::npos);
    });
}

TEST_CASE("statuses without a body and errors of the server are responses", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/304", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Encoding: gzip\r\n\r\n");
        server.answer("/429",
                      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow");
        server.answer("/500", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
        CHECK(verdict(co_await get(client, server.url("/304"))) == "304");
        const auto limited = co_await get(client, server.url("/429"));
        CHECK(limited->status == 429);
        CHECK(limited->header_value("retry-after") == "7");
        CHECK(limited->body == "slow");
        CHECK(verdict(co_await get(client, server.url("/500"))) == "500");
        fetch::request head{server.url("/head")};
        head.method = "HEAD";
        server.answer("/head", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        const auto out = co_await client.fetch(head);
        CHECK(verdict(out) == "200");
        CHECK(out->body.empty());
        // No byte of it comes, so none is too many.
        server.answer("/head", "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        CHECK(verdict(co_await client.fetch(head)) == "200");
        server.answer("/304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 100000000\r\n\r\n");
        CHECK(verdict(co_await get(client, server.url("/304"))) == "304");
    });
}

TEST_CASE("one connection serves request after request", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/", raw_server::ok("x"));
        for (int i = 0; i < 20; ++i)
            CHECK(verdict(co_await get(client, server.url())) == "200");
        CHECK(server.connections == 1);
        CHECK(client.stats().requests == 20);
        CHECK(client.stats().connections == 1);
        CHECK(client.stats().bytes_decoded == 20);
    });
}

TEST_CASE("many coroutines share the client within its limits", "[integration][fetch]") {
    auto options = loopback_options();
    options.max_per_host = 3;
    with_server(
        [](raw_server& server, fetch::client& client) -> task<void> {
            server.behave("/", [](raw_server::socket& s, const std::string&) -> task<bool> {
                co_await sleep_for(5ms);
                co_await send(s, raw_server::ok("x"));
                co_return true;
            });
            int done = 0;
            task_group group{co_await asio::this_coro::executor};
            for (int i = 0; i < 40; ++i)
                group.spawn("fetch", fetch_and_count(client, server.url(), done));
            co_await group.join();
            CHECK(done == 40);
            CHECK(server.most_open == 3);
            CHECK(client.stats().waiting == 0);
            CHECK(client.stats().in_flight == 0);
        },
        options);
}

TEST_CASE("bad input 16: proxies of the environment are ignored", "[integration][fetch]") {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/", raw_server::ok("x"));
        CHECK(verdict(co_await get(client, server.url())) == "200");
    });
    ::unsetenv("http_proxy");
    ::unsetenv("ALL_PROXY");
}

TEST_CASE("a POST carries its body, and what cannot be sent is refused", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.behave("/", [](raw_server::socket& s, const std::string&) -> task<bool> {
            co_await send(s, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            co_return false;
        });
        fetch::request r{server.url()};
        r.method = "POST";
        r.body = R"({"a":1})";
        r.headers = {{"Content-Type", "application/json"}};
        CHECK(verdict(co_await client.fetch(r)) == "201");
        CHECK(server.requests.at(0).find("Content-Length: 7\r\n") != std::string::npos);
        CHECK(server.requests.at(0).find("Content-Type: application/json\r\n") != std::string::npos);

        r.headers = {{"X-A", "1\r\nX-B: 2"}};
        CHECK(verdict(co_await client.fetch(r)) == "bad_url");
        r.headers = {{"X A", "1"}};
        CHECK(verdict(co_await client.fetch(r)) == "bad_url");
        r.headers.clear();
        r.method = "GET / HTTP/1.1\r\n";
        CHECK(verdict(co_await client.fetch(r)) == "bad_url");
        CHECK(server.requests.size() == 1);
    });
}

TEST_CASE("bad input 21, curl trap 11: slow servers end by the limit that they pass",
          "[integration][fetch]") {
    auto options = loopback_options();
    options.first_byte_timeout = 300ms;
    options.low_speed_time = 300ms;
    options.total_timeout = 2s;
    with_server(
        [](raw_server& server, fetch::client& client) -> task<void> {
            server.behave("/silent",
                          [](raw_server::socket& s, const std::string&) { return drip(s, "", 50ms); });
            server.behave("/headers", [](raw_server::socket& s, const std::string&) -> task<bool> {
                co_await send(s, "HTTP/1.1 200 OK\r\nX-Endless: ");
                co_return co_await drip(s, "x", 20ms);
            });
            server.behave("/nearly-silent", [](raw_server::socket& s, const std::string&) -> task<bool> {
                co_await send(s, "HTTP/1.1 2");
                co_return co_await drip(s, "", 20ms);
            });
            server.behave("/body", [](raw_server::socket& s, const std::string&) -> task<bool> {
                co_await send(s, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                co_return co_await drip(s, "x", 20ms);
            });
            server.behave("/long", [](raw_server::socket& s, const std::string&) -> task<bool> {
                co_await send(s, "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n");
                co_return co_await drip(s, std::string(4000, 'x'), 20ms);
            });
            const auto expect_timeout = [&](const char* path, const char* words) -> task<void> {
                const auto out = co_await get(client, server.url(path));
                INFO(path);
                REQUIRE(verdict(out) == "timeout");
                CHECK(out.error().cls == failure_class::transient);
                CHECK(out.error().detail.find(words) != std::string::npos);
            };
            co_await expect_timeout("/silent", "no response within 0.3s");
            co_await expect_timeout("/nearly-silent", "no response within 0.3s");
            co_await expect_timeout("/headers", "under 1024 bytes/s for 0.3s");
            co_await expect_timeout("/body", "under 1024 bytes/s for 0.3s");
            co_await expect_timeout("/long", "total time over");
        },
        options);
}

TEST_CASE("bad input 22: answers that are no HTTP are bad responses", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/09", "<html>old</html>", false);
        server.answer("/line", "HTTP/1.1 200 OK\r\nX: " + std::string(400'000, 'x') + "\r\n\r\n", false);
        server.behave("/many", [](raw_server::socket& s, const std::string&) -> task<bool> {
            co_await send(s, "HTTP/1.1 200 OK\r\n");
            const std::string field = "X-Field: " + std::string(1000, 'x') + "\r\n";
            for (int i = 0; i < 20'000; ++i)
                co_await send(s, field);
            co_return false;
        });
        for (const char* path : {"/09", "/line", "/many"}) {
            INFO(path);
            CHECK(verdict(co_await get(client, server.url(path))) == "bad_response");
        }
        // The client is as good as before.
        server.answer("/", raw_server::ok("x"));
        CHECK(verdict(co_await get(client, server.url())) == "200");
    });
}

TEST_CASE("bad input 24: connections that fail are told apart from responses that end early",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/nothing", "", false);
        server.answer("/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", false);
        server.behave("/reset", [](raw_server::socket& s, const std::string&) -> task<bool> {
            co_await send(s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
            s.set_option(asio::socket_base::linger{true, 0});
            co_return false;
        });
        server.answer("/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                      false);
        CHECK(verdict(co_await get(client, server.url("/nothing"))) == "connection_failed");
        for (const char* path : {"/short", "/reset", "/chunks"}) {
            const auto out = co_await get(client, server.url(path));
            INFO(path);
            REQUIRE(verdict(out) == "truncated_body");
            CHECK(out.error().cls == failure_class::transient);
        }
        asio::ip::tcp::acceptor closed{co_await asio::this_coro::executor,
                                       {asio::ip::address_v4::loopback(), 0}};
        const auto port = closed.local_endpoint().port();
        closed.close();
        CHECK(verdict(co_await get(client, "http://127.0.0.1:" + std::to_string(port) + "/")) ==
              "connection_failed");
        // A label of 64 letters cannot be asked for, so this needs no name server.
        CHECK(verdict(co_await get(client, "http://" + std::string(64, 'a') + ".test/")) == "dns_failed");
    });
}

TEST_CASE("a cancelled fetch closes its connection and leaves nothing behind", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.behave("/", [](raw_server::socket& s, const std::string&) { return drip(s, "", 5ms); });
        std::string out;
        task_group group{co_await asio::this_coro::executor};
        group.spawn("fetch", fetch_into(client, server.url(), out));
        while (server.requests.empty())
            co_await sleep_for(1ms);
        CHECK(client.stats().in_flight == 1);
        group.cancel();
        co_await group.join();
        CHECK(out.empty());
        CHECK(client.stats().in_flight == 0);
        server.answer("/after", raw_server::ok("x"));
        CHECK(verdict(co_await get(client, server.url("/after"))) == "200");
        CHECK(server.connections == 2);
    });
}

TEST_CASE("stop ends running and waiting fetches at once", "[integration][fetch]") {
    auto options = loopback_options();
    options.max_per_host = 1;
    with_server(
        [](raw_server& server, fetch::client& client) -> task<void> {
            server.behave("/", [](raw_server::socket& s, const std::string&) { return drip(s, "", 5ms); });
            std::string first;
            std::string second;
            task_group group{co_await asio::this_coro::executor};
            group.spawn("first", fetch_into(client, server.url(), first));
            group.spawn("second", fetch_into(client, server.url(), second));
            while (server.requests.empty())
                co_await sleep_for(1ms);
            CHECK(client.stats().waiting == 1);
            const auto started = std::chrono::steady_clock::now();
            co_await client.stop();
            CHECK(std::chrono::steady_clock::now() - started < 1s);
            co_await group.join();
            CHECK(first == "cancelled");
            CHECK(second == "cancelled");
            CHECK(verdict(co_await get(client, server.url())) == "cancelled");
        },
        options);
}

TEST_CASE("a fetch that finds no free slot in time is overloaded", "[integration][fetch]") {
    auto options = loopback_options();
    options.max_per_host = 1;
    options.slot_timeout = 50ms;
    with_server(
        [](raw_server& server, fetch::client& client) -> task<void> {
            server.behave("/", [](raw_server::socket& s, const std::string&) { return drip(s, "", 5ms); });
            std::string first;
            task_group group{co_await asio::this_coro::executor};
            group.spawn("first", fetch_into(client, server.url(), first));
            while (server.requests.empty())
                co_await sleep_for(1ms);
            CHECK(verdict(co_await get(client, server.url())) == "overloaded");
            group.cancel();
            co_await group.join();
        },
        options);
}

TEST_CASE("bad input 42: a failure shows neither the query nor a secret", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/keys/s3cr3t", raw_server::redirect("http://10.0.0.1/"));
        fetch::request r{server.url("/keys/s3cr3t?token=s3cr3t")};
        r.secrets = {"s3cr3t"};
        server.answer("/keys/s3cr3t", "", false);
        const auto out = co_await client.fetch(r);
        REQUIRE(verdict(out) == "connection_failed");
        CHECK(out.error().message().find("s3cr3t") == std::string::npos);
        CHECK(out.error().message().find("token") == std::string::npos);
        CHECK(out.error().url == server.url("/keys/***"));
    });
}
