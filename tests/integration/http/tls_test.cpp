// TLS of the server, spoken to by the project's own client, and that client.
#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/upstream.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/run_coroutine.hpp>
#include <tiktrend/testing/server_certificate.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <filesystem>
#include <fstream>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

struct tls_files {
    temp_dir dir;
    std::string chain = (dir.path() / "chain.pem").string();
    std::string key = (dir.path() / "key.pem").string();
    tls_files() {
        std::signal(SIGPIPE, SIG_IGN);
        make_server_certificate(chain, key, "localhost");
    }
    std::shared_ptr<http::certificates> load() const {
        return std::make_shared<http::certificates>(http::certificate_files{chain, key});
    }
};

http::server_options with_tls(std::shared_ptr<http::certificates> c) {
    http::server_options o;
    o.tls = std::move(c);
    o.header_timeout = 1s;
    return o;
}

http::upstream_options trusting(const std::string& ca) {
    http::upstream_options o;
    o.ca_file = ca;
    return o;
}

http::origin at(std::uint16_t port, const std::string& host = "localhost", bool tls = true) {
    return http::parse_origin((tls ? "https://" : "http://") + host + ':' + std::to_string(port)).value();
}

task<void> exchange_many(http::origin where, std::string ca) {
    http::upstream c{co_await asio::this_coro::executor, where, trusting(ca)};
    for (int i = 0; i < 3; ++i) {
        http::upstream_request get;
        get.target = "/hello";
        const auto a = co_await within(10s, c.send(get));
        CHECK(a->status == 200);
        CHECK((co_await a->read_all(1000)).find("hello") != std::string::npos);
    }
    http::upstream_request post;
    post.method = "POST";
    post.target = "/echo";
    post.headers.add("Content-Type", "text/plain");
    post.body.assign(700'000, 'x');
    const auto echoed = co_await within(20s, c.send(post));
    CHECK(echoed->status == 200);
    CHECK((co_await within(20s, echoed->read_all(2'000'000))).find(post.body) != std::string::npos);
    http::upstream_request big;
    big.target = "/big";
    const auto b = co_await within(20s, c.send(big));
    CHECK((co_await within(20s, b->read_all(4'000'000))).size() == big_size);
    http::upstream_request events;
    events.target = "/three";
    const auto e = co_await within(10s, c.send(events));
    CHECK(e->headers.get("Content-Type") == "text/event-stream");
    const auto text = co_await within(10s, e->read_all(10'000));
    CHECK(text.ends_with("\n\n"));
    CHECK(text.find("data: ") != std::string::npos);
}

task<std::string> failure_of(http::origin where, std::string ca) {
    http::upstream c{co_await asio::this_coro::executor, where, trusting(ca)};
    http::upstream_request get;
    get.target = "/hello";
    try {
        co_await within(10s, c.send(get));
    } catch (const http::not_connected& e) {
        co_return std::string{"not connected: "} + e.what();
    } catch (const system_error& e) {
        co_return e.what();
    }
    co_return std::string{};
}

task<void> expect_failure(http::origin where, std::string ca, std::string part) {
    const auto why = co_await failure_of(std::move(where), std::move(ca));
    INFO(why);
    CHECK_FALSE(why.empty());
    CHECK(why.find(part) != std::string::npos);
}

/// Sends the request and the end of the session in one segment, and says what came back.
std::string ask_and_end(std::uint16_t port, const std::string& request) {
    raw_client socket{port};
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free};
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls{SSL_new(context.get()), &SSL_free};
    SSL_set_fd(tls.get(), socket.fd());
    REQUIRE(SSL_connect(tls.get()) == 1);
    const auto hold_back = [&](int yes) {
        REQUIRE(::setsockopt(socket.fd(), IPPROTO_TCP, TCP_CORK, &yes, sizeof yes) == 0);
    };
    hold_back(1);
    REQUIRE(SSL_write(tls.get(), request.data(), static_cast<int>(request.size())) > 0);
    SSL_shutdown(tls.get());
    hold_back(0);
    std::string out;
    char piece[4096];
    for (int n = 0; (n = SSL_read(tls.get(), piece, sizeof piece)) > 0;)
        out.append(piece, static_cast<std::size_t>(n));
    return out;
}

} // namespace

TEST_CASE("a client that ends its session behind its request gets the answer", "[integration][http][tls]") {
    tls_files files;
    running_server s{sample_routes(), with_tls(files.load())};
    CHECK(ask_and_end(s.port(), get("/hello")).starts_with("HTTP/1.1 200 "));
    const auto two = ask_and_end(s.port(), get("/hello") + get("/nothing-there"));
    CHECK(two.find("HTTP/1.1 200 ") != std::string::npos);
    CHECK(two.find("HTTP/1.1 404 ") != std::string::npos);
    // Half a request gets none.
    CHECK(ask_and_end(s.port(), "GET /hello HTTP/1.1\r\nHost: x\r\n").empty());
    CHECK(poll_until([&] { return s.connections() == 0; }));
}

TEST_CASE("everything works over TLS as it does without", "[integration][http][tls]") {
    tls_files files;
    running_server s{sample_routes(), with_tls(files.load())};
    run_coroutine(exchange_many(at(s.port()), files.chain));
    running_server plain{sample_routes()};
    run_coroutine(exchange_many(at(plain.port(), "localhost", false), ""));
}

TEST_CASE("the client believes only certificates that it trusts, for the host it asked for",
          "[integration][http][tls]") {
    tls_files files, others;
    running_server s{sample_routes(), with_tls(files.load())};
    run_coroutine(expect_failure(at(s.port()), others.chain, "not connected"));
    run_coroutine(expect_failure(at(s.port(), "127.0.0.1"), files.chain, "not connected"));
    run_coroutine(expect_failure(at(free_port()), files.chain, "not connected"));
}

TEST_CASE("what is no TLS is closed, and a slow handshake too", "[integration][http][tls]") {
    tls_files files;
    running_server s{sample_routes(), with_tls(files.load())};
    raw_client plain{s.port()};
    plain.send(get("/hello"));
    CHECK(plain.wait_end(5s) != raw_client::ending::still_open);
    raw_client silent{s.port()};
    CHECK(silent.wait_end(10s) != raw_client::ending::still_open);
    raw_client half{s.port()};
    half.send(std::string_view{"\x16\x03\x01\x02", 4});
    CHECK(half.wait_end(10s) != raw_client::ending::still_open);
    CHECK(poll_until([&] { return s.connections() == 0; }));
}

TEST_CASE("a certificate is replaced while the server runs; a broken one is not",
          "[integration][http][tls]") {
    tls_files files;
    const auto certificates = files.load();
    running_server s{sample_routes(), with_tls(certificates)};
    CHECK_FALSE(certificates->has_changed());
    const auto old_chain = (files.dir.path() / "old.pem").string();
    std::filesystem::copy_file(files.chain, old_chain);
    make_server_certificate(files.chain, files.key, "localhost");
    CHECK(certificates->has_changed());
    run_coroutine(exchange_many(at(s.port()), old_chain)); // not before it is read
    std::string why;
    REQUIRE(certificates->reload(why));
    CHECK_FALSE(certificates->has_changed());
    run_coroutine(exchange_many(at(s.port()), files.chain));
    run_coroutine(expect_failure(at(s.port()), old_chain, "not connected"));

    std::ofstream{files.key} << "nonsense";
    CHECK(certificates->has_changed());
    CHECK_FALSE(certificates->reload(why));
    CHECK(why.find(files.key) != std::string::npos);
    CHECK_FALSE(certificates->has_changed());
    run_coroutine(exchange_many(at(s.port()), files.chain)); // the good one goes on
    CHECK(certificates->expires_at() > std::time(nullptr));
    CHECK_THROWS_AS(http::certificates({files.chain, "/no/such/key"}), std::runtime_error);
}

TEST_CASE("a drain reaches TLS connections", "[integration][http][tls]") {
    tls_files files;
    running_server s{sample_routes(), with_tls(files.load())};
    run_coroutine(exchange_many(at(s.port()), files.chain));
    s.begin_stop(5s);
    CHECK(s.wait_stopped(20s));
}
