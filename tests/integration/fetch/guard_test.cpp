#include "raw_server.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;

namespace {

/// Options whose guard knows `allow` (with PORT for the server's) and whose look-ups answer `resolve`.
fetch::client_options options_for(const raw_server& server, std::vector<std::string> allow,
                                  std::vector<std::string> resolve) {
    const auto with_port = [&](std::string text) {
        if (const auto at = text.find("PORT"); at != std::string::npos)
            text.replace(at, 4, std::to_string(server.port()));
        return text;
    };
    fetch::client_options o;
    fetch::address_guard::rules rules;
    for (auto& a : allow)
        rules.allow.push_back(*fetch::parse_allow_entry(with_port(a)));
    o.guard = fetch::address_guard{rules};
    for (auto& r : resolve)
        o.resolve.push_back(with_port(r));
    return o;
}

task<void> check_verdict(std::vector<std::string> allow, std::vector<std::string> resolve, std::string host,
                         std::string expected) {
    const auto ex = co_await asio::this_coro::executor;
    raw_server server{ex};
    server.answer("/", raw_server::ok("x"));
    fetch::client client{ex, options_for(server, std::move(allow), std::move(resolve))};
    const auto out = co_await get(client, "http://" + host + ":" + std::to_string(server.port()) + "/");
    CHECK(verdict(out) == expected);
    CHECK(server.requests.size() == (expected == "200" ? 1 : 0));
    if (!out) CHECK(out.error().cls == fetch::failure_class::permanent);
    co_await client.stop();
    co_await server.stop();
}

} // namespace

TEST_CASE("bad input 5 and 7: a name that resolves to a forbidden address is refused at connect",
          "[integration][fetch]") {
    // The port is open for some range, so only the address can be what is wrong.
    run_coroutine(
        check_verdict({"10.0.0.0/8:PORT"}, {"evil.test:PORT:127.0.0.1"}, "evil.test", "address_forbidden"));
}

TEST_CASE("bad input 6, curl trap 2: a name with a permitted and a forbidden address is refused, though the "
          "permitted one "
          "connects",
          "[integration][fetch]") {
    run_coroutine(check_verdict({"127.0.0.1:PORT"}, {"mixed.test:PORT:127.0.0.2,127.0.0.1"}, "mixed.test",
                                "address_forbidden"));
}

TEST_CASE("a name at a permitted address is fetched", "[integration][fetch]") {
    run_coroutine(check_verdict({"127.0.0.1:PORT"}, {"good.test:PORT:127.0.0.1"}, "good.test", "200"));
    run_coroutine(check_verdict({"good.test:PORT"}, {"good.test:PORT:127.0.0.1"}, "good.test", "200"));
}

TEST_CASE("without an allow list no loopback server can be reached", "[integration][fetch]") {
    run_coroutine(check_verdict({}, {}, "127.0.0.1", "port_forbidden"));
    auto body = []() -> task<void> {
        fetch::client client{co_await asio::this_coro::executor};
        for (const char* url : {"http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0x7f.1/"})
            CHECK(verdict(co_await get(client, url)) == "address_forbidden");
        CHECK(client.stats().requests == 0);
        CHECK(client.stats().failures[static_cast<std::size_t>(fetch::failure_kind::address_forbidden)] == 4);
        co_await client.stop();
    };
    run_coroutine(body());
}
