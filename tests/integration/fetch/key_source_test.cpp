// The keys of an issuer over HTTP: here, since the server that misbehaves is here.
#include "raw_server.hpp"

#include <tiktrend/access/key_source.hpp>
#include <tiktrend/testing/token_issuer.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;

TEST_CASE("keys come from a URL, are read again for a miss, and stay when it fails", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client&) -> task<void> {
        const token_issuer first{"k1"};
        const token_issuer second{"k2"};
        access::key_source_options options;
        options.location = server.url("/jwks");
        options.between_misses = std::chrono::milliseconds{0};
        access::key_source keys{co_await asio::this_coro::executor, options};
        CHECK_FALSE(keys.keys());
        server.answer("/jwks", raw_server::ok(first.jwks()));
        co_await keys.refresh_for_miss();
        REQUIRE(keys.keys());
        CHECK(keys.keys()->size() == 1);

        server.answer("/jwks", raw_server::ok(R"({"keys":[)" + first.jwk() + ',' + second.jwk() + "]}"));
        co_await keys.refresh_for_miss();
        CHECK(keys.keys()->size() == 2);
        for (const auto& bad : {raw_server::ok("{}"), raw_server::ok(std::string(300 << 10, ' ')),
                                raw_server::redirect("http://169.254.169.254/"),
                                std::string{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"}}) {
            server.answer("/jwks", bad);
            co_await keys.refresh_for_miss();
            CHECK(keys.keys()->size() == 2);
        }
        CHECK(server.requests.size() == 6);
        co_await keys.stop();
    });
}

TEST_CASE("misses before the first success do not ask an issuer in trouble again and again",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client&) -> task<void> {
        server.answer("/jwks", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        access::key_source_options options;
        options.location = server.url("/jwks");
        access::key_source keys{co_await asio::this_coro::executor, options};
        for (int i = 0; i < 20; ++i)
            co_await keys.refresh_for_miss();
        CHECK(server.requests.size() >= 1);
        CHECK(server.requests.size() < 20);
        co_await keys.stop();
    });
}
