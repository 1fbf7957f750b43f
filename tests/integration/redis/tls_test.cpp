#include "fixture.hpp"

namespace tiktrend::redis {
namespace {

/// Certificates made by the openssl program: an authority, a server for "localhost", and another authority
/// that nobody trusts.
struct certificates {
    certificates() {
        authority("ca");
        authority("other-ca");
        openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                 path("server.key"), "-out", path("server.csr"), "-subj", "/CN=localhost", "-addext",
                 "subjectAltName=DNS:localhost"});
        openssl({"x509", "-req", "-in", path("server.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
                 "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", path("server.pem")});
        // The server may run as another user.
        std::filesystem::permissions(path("server.key"), std::filesystem::perms{0644});
    }
    std::string path(const std::string& name) const { return (dir.path() / name).string(); }

    void authority(const std::string& name) const {
        openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-days", "2", "-subj",
                 "/CN=" + name});
    }
    void openssl(std::vector<std::string> words) const {
        testing::process::options o;
        o.output = dir.path() / "openssl.log";
        words.insert(words.begin(), "openssl");
        REQUIRE(testing::run(words, o) == 0);
    }
    testing::temp_dir dir;
};

struct tls_server {
    tls_server() : port{testing::free_port()} {
        testing::redis_server::options o;
        o.arguments = {"--tls-port",         std::to_string(port),
                       "--tls-cert-file",    certs.path("server.pem"),
                       "--tls-key-file",     certs.path("server.key"),
                       "--tls-ca-cert-file", certs.path("ca.pem"),
                       "--tls-auth-clients", "no"};
        server = std::make_unique<testing::redis_server>(o);
    }
    static tls_server& shared() {
        static tls_server instance;
        return instance;
    }
    address at_host(const std::string& host, const std::string& ca) const {
        return at("rediss://" + host + ':' + std::to_string(port) + "?ca=" + certs.path(ca));
    }
    certificates certs;
    unsigned short port;
    std::unique_ptr<testing::redis_server> server;
};

task<void> expect_failure(address where, std::string reason) {
    client c{co_await asio::this_coro::executor, std::move(where), quick()};
    c.start();
    std::string what;
    try {
        co_await c.wait_connected(300ms);
    } catch (const system_error& e) {
        what = e.what();
    }
    co_await c.stop();
    CAPTURE(what);
    CHECK(what.find(reason) != std::string::npos);
    CHECK(c.connects() == 0);
}

} // namespace

TEST_CASE("a client speaks TLS to a server that it trusts", "[integration][redis]") {
    auto& s = tls_server::shared();
    testing::run_coroutine(
        with_client_on(s.at_host("localhost", "ca.pem"), quick(), [](client& c) -> task<void> {
            CHECK((co_await c.exec(command{"PING"})).text() == "PONG");
            const std::string value(3U << 20, 'x');
            co_await c.exec(command{"SET", "large", value});
            CHECK(((co_await c.exec(command{"GET", "large"})).text() == value));
            std::vector<command> list;
            for (int i = 0; i < 1000; ++i)
                list.emplace_back("ECHO", i);
            const auto replies = co_await c.exec_all(list);
            for (std::size_t i = 0; i < replies.size(); ++i)
                REQUIRE(replies[i].integer() == static_cast<std::int64_t>(i));
            tls_server::shared().server->command({"CLIENT", "KILL", "TYPE", "normal"});
            CHECK(co_await eventually([&c] { return c.connects() == 2; }));
            CHECK((co_await c.exec(command{"STRLEN", "large"})).integer() == 3 << 20);
        }));
}

TEST_CASE("a certificate of an unknown authority is refused", "[integration][redis]") {
    testing::run_coroutine(
        expect_failure(tls_server::shared().at_host("localhost", "other-ca.pem"), "certificate verify"));
}

TEST_CASE("a certificate for another name is refused", "[integration][redis]") {
    testing::run_coroutine(
        expect_failure(tls_server::shared().at_host("127.0.0.1", "ca.pem"), "certificate verify"));
}

TEST_CASE("a missing file of certificates is named", "[integration][redis]") {
    testing::run_coroutine(
        expect_failure(tls_server::shared().at_host("localhost", "missing.pem"), "missing.pem"));
}

TEST_CASE("TLS to a server without TLS fails", "[integration][redis]") {
    auto where = at(tls_server::shared().server->url());
    where.tls = true;
    where.ca_file = tls_server::shared().certs.path("ca.pem");
    testing::run_coroutine(expect_failure(where, where.to_string()));
}

TEST_CASE("stopping in the middle of a TLS handshake ends at once", "[integration][redis]") {
    auto body = []() -> task<void> {
        for (int i = 0; i < 20; ++i) {
            client c{co_await asio::this_coro::executor, tls_server::shared().at_host("localhost", "ca.pem"),
                     quick()};
            c.start();
            co_await sleep_for(std::chrono::microseconds{200 * i});
            co_await c.stop();
        }
    };
    testing::run_coroutine(body());
}

} // namespace tiktrend::redis
