// The guard and the connections that libcurl keeps: what is not opened again is checked again.
#include "curl_driver.hpp"
#include "raw_server.hpp"
#include "transfer.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

fetch::client_options options_with(std::vector<std::string> allow, std::vector<std::string> resolve = {}) {
    fetch::client_options o;
    fetch::address_guard::rules rules;
    for (const auto& entry : allow)
        rules.allow.push_back(*fetch::parse_allow_entry(entry));
    o.guard = fetch::address_guard{rules};
    o.resolve = std::move(resolve);
    return o;
}

struct answered {
    std::string verdict;
    int opened = 0; ///< connections that this request opened
};

/// One request of the pool of `driver` under `options`.
task<answered> ask(fetch::curl_driver& driver, const fetch::client_options& options, std::string address) {
    const auto where = *fetch::parse_url(address);
    const std::vector<fetch::header> no_headers;
    const fetch::easy_handle easy{curl_easy_init()};
    const fetch::hop h{
        where, "GET", no_headers, true, {}, 1000, false, std::chrono::steady_clock::now() + 20s, nullptr, {}};
    fetch::transfer t{co_await asio::this_coro::executor, easy.get(), options, h};
    co_await t.run(driver);
    answered out;
    out.verdict = t.why() ? fetch::to_string(t.why()->kind) : std::to_string(t.take_response().status);
    out.opened = t.connections_opened();
    co_return out;
}

fetch::curl_driver::done_handler tell_transfer() {
    return [](CURL* easy, CURLcode code) { fetch::transfer::of(easy)->finished(code); };
}

task<void> reuse_under_another_policy() {
    const auto ex = co_await asio::this_coro::executor;
    raw_server server{ex};
    server.answer("/", raw_server::ok("x"));
    fetch::curl_driver driver{ex, {4, 4}, tell_transfer()};
    const auto port = std::to_string(server.port());
    const auto open = options_with({"127.0.0.1:" + port});
    const auto closed = options_with({"10.0.0.0/8:" + port});
    const auto first = co_await ask(driver, open, server.url());
    CHECK(first.verdict == "200");
    CHECK(first.opened == 1);
    const auto second = co_await ask(driver, open, server.url());
    CHECK(second.verdict == "200");
    CHECK(second.opened == 0); // it is the pool's: no socket was opened that could have been checked
    const auto third = co_await ask(driver, closed, server.url());
    CHECK(third.verdict == "address_forbidden");
    CHECK(third.opened == 0);
    CHECK(server.connections == 1);
    CHECK(server.requests.size() == 2); // the third was not sent
    co_await server.stop();
}

task<void> rebind() {
    const auto ex = co_await asio::this_coro::executor;
    raw_server server{ex};
    server.answer("/", raw_server::ok("x"), false); // so that the second request needs a new connection
    fetch::curl_driver driver{ex, {4, 4}, tell_transfer()};
    const auto port = std::to_string(server.port());
    const auto good = options_with({"127.0.0.1:" + port}, {"turns.test:" + port + ":127.0.0.1"});
    const auto bad = options_with({"127.0.0.1:" + port}, {"turns.test:" + port + ":127.0.0.2"});
    const auto url = "http://turns.test:" + port + "/";
    CHECK((co_await ask(driver, good, url)).verdict == "200");
    const auto second = co_await ask(driver, bad, url);
    CHECK(second.verdict == "address_forbidden");
    CHECK(second.opened == 0);
    CHECK(server.requests.size() == 1);
    co_await server.stop();
}

} // namespace

TEST_CASE("bad input 8, curl traps 2 and 3: a pooled connection is checked by the policy of who uses it",
          "[integration][fetch][bad_input]") {
    run_coroutine(reuse_under_another_policy());
}

TEST_CASE("bad input 7, curl trap 5: a name that moves to a forbidden address is refused there",
          "[integration][fetch][bad_input]") {
    run_coroutine(rebind());
}

TEST_CASE("curl trap 4: a name given an address holds for its port, and a redirect leaves it behind",
          "[integration][fetch]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        raw_server server{ex};
        const auto port = std::to_string(server.port());
        server.answer("/", raw_server::redirect("http://other.test:" + port + "/there"));
        fetch::client client{ex, options_with({"127.0.0.1:" + port}, {"one.test:" + port + ":127.0.0.1",
                                                                      "other.test:" + port + ":127.0.0.3"})};
        CHECK(verdict(co_await get(client, "http://one.test:" + port + "/")) == "address_forbidden");
        CHECK(server.requests.size() == 1);
        co_await client.stop();
        co_await server.stop();
    };
    run_coroutine(body());
}

TEST_CASE("curl trap 12: the wait for a slot is not taken off a transfer's time", "[integration][fetch]") {
    auto options = loopback_options();
    options.max_per_host = 1;
    options.total_timeout = 1500ms;
    with_server(
        [](raw_server& server, fetch::client& client) -> task<void> {
            server.behave("/", [](raw_server::socket& s, const std::string&) -> task<bool> {
                co_await sleep_for(600ms);
                co_await asio::async_write(s, asio::buffer(raw_server::ok("x")), asio::use_awaitable);
                co_return true;
            });
            std::array<std::string, 4> verdicts;
            task_group group{co_await asio::this_coro::executor};
            const auto fetch_into = [](fetch::client& c, std::string url, std::string& out) -> task<void> {
                out = verdict(co_await get(c, std::move(url)));
            };
            for (auto& v : verdicts)
                group.spawn("fetch", fetch_into(client, server.url(), v));
            co_await group.join(); // the last one began 1.8 s after it was asked for
            for (const auto& v : verdicts)
                CHECK(v == "200");
        },
        options);
}
