#include <tiktrend/base/task_group.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/run_coroutine.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {

/// Node's own HTTP/2 server behind TLS with a certificate for shop.test.
struct h2_server {
    testing::temp_dir dir;
    unsigned short port = testing::free_port();
    testing::process child;

    h2_server() {
        std::signal(SIGPIPE, SIG_IGN); // as every program that fetches over TLS does
        const auto file = [this](const char* name) { return (dir.path() / name).string(); };
        testing::process::options quiet;
        quiet.output = dir.path() / "openssl.log";
        REQUIRE(testing::run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                              "-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test", "-keyout",
                              file("key.pem"), "-out", file("cert.pem")},
                             quiet) == 0);
        const std::string script =
            "const fs=require('fs');const "
            "s=require('http2').createSecureServer({allowHTTP1:true,key:fs.readFileSync('" +
            file("key.pem") + "'),cert:fs.readFileSync('" + file("cert.pem") +
            "')},(q,r)=>setTimeout(()=>{r.setHeader('x-version',q.httpVersion);r.end('hello')},5));s."
            "listen(" +
            std::to_string(port) + ",'127.0.0.1',()=>fs.writeFileSync('" + file("ready") + "',''));";
        child = testing::process{{"node", "-e", script}};
        REQUIRE(testing::poll_until([&] { return std::filesystem::exists(dir.path() / "ready"); }));
    }

    fetch::client_options options(bool trusted) const {
        fetch::client_options o;
        if (trusted) o.ca_file = (dir.path() / "cert.pem").string();
        fetch::address_guard::rules rules;
        rules.allow.push_back(*fetch::parse_allow_entry("127.0.0.1:*"));
        o.guard = fetch::address_guard{rules};
        for (const char* name : {"shop.test", "other.test"})
            o.resolve.push_back(fmt::format("{}:{}:127.0.0.1", name, port));
        return o;
    }
    std::string url(std::string_view host) const { return fmt::format("https://{}:{}/", host, port); }
};

task<void> fetch_one(fetch::client& client, std::string url, int& ok) {
    const fetch::request r{std::move(url)};
    const auto out = co_await client.fetch(r);
    if (out && out->http_version == 20 && out->body == "hello") ++ok;
}

task<void> many(const h2_server& server) {
    const auto ex = co_await asio::this_coro::executor;
    auto options = server.options(true);
    options.max_per_host = 30;
    fetch::client client{ex, options};
    int ok = 0;
    task_group group{ex};
    for (int i = 0; i < 30; ++i)
        group.spawn("fetch", fetch_one(client, server.url("shop.test"), ok));
    co_await group.join();
    CHECK(ok == 30);
    CHECK(client.stats().connections == 1);
    co_await client.stop();
}

task<void> expect_untrusted(const h2_server& server, bool trusted, std::string host) {
    fetch::client client{co_await asio::this_coro::executor, server.options(trusted)};
    const fetch::request r{server.url(host)};
    const auto out = co_await client.fetch(r);
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error().kind == fetch::failure_kind::tls_failed);
    CHECK(out.error().cls == fetch::failure_class::permanent);
    co_await client.stop();
}

} // namespace

TEST_CASE("curl trap 13: HTTP/2 carries many fetches on one verified connection",
          "[integration][fetch][tls]") {
    const h2_server server;
    testing::run_coroutine(many(server));
}

TEST_CASE("a certificate that nobody signed, or for another name, is refused", "[integration][fetch][tls]") {
    const h2_server server;
    testing::run_coroutine(expect_untrusted(server, false, "shop.test"));
    testing::run_coroutine(expect_untrusted(server, true, "other.test"));
}
