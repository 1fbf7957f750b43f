#include "raw_server.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;

namespace {

bool has_line(const std::string& head, const std::string& line) {
    return head.find(line + "\r\n") != std::string::npos;
}

} // namespace

TEST_CASE("curl trap 6: redirects are followed by hand and remembered", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/a", raw_server::redirect("/b?x=1"));
        server.answer("/b", raw_server::redirect(server.url("/c"), 301));
        server.answer("/c", raw_server::ok("end"));
        const auto out = co_await get(client, server.url("/a"));
        REQUIRE(verdict(out) == "200");
        CHECK(out->body == "end");
        CHECK(out->url == server.url("/c"));
        CHECK(out->redirects == std::vector<std::string>{server.url("/a"), server.url("/b?x=1")});
        CHECK(client.stats().redirects == 2);
    });
}

TEST_CASE("bad input 9 and 10, curl trap 1: a redirect to a forbidden place is refused at its hop",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        const auto expect = [&](std::string to, const char* kind) -> task<void> {
            server.answer("/r", raw_server::redirect(to));
            const auto out = co_await get(client, server.url("/r"));
            INFO(to);
            REQUIRE(verdict(out) == kind);
            CHECK(out.error().cls == fetch::failure_class::permanent);
        };
        co_await expect("http://169.254.169.254/latest/meta-data/", "address_forbidden");
        co_await expect("http://[::ffff:10.0.0.1]/", "address_forbidden");
        co_await expect("file:///etc/passwd", "scheme_forbidden");
        co_await expect("gopher://127.0.0.1/", "scheme_forbidden");
        co_await expect("ftp://127.0.0.1/", "scheme_forbidden");
        co_await expect("dict://127.0.0.1/", "scheme_forbidden");
        co_await expect("http://8.8.8.8:22/", "port_forbidden");
        co_await expect("http://user:pw@127.0.0.1/", "bad_url");
    });
}

TEST_CASE("bad input 11: five redirects are followed, a sixth is too many", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/loop", raw_server::redirect("/loop"));
        const auto loop = co_await get(client, server.url("/loop"));
        REQUIRE(verdict(loop) == "too_many_redirects");
        CHECK(loop.error().redirects == 5);
        CHECK(server.requests.size() == 6);
        for (int i = 1; i < 6; ++i)
            server.answer("/" + std::to_string(i), raw_server::redirect("/" + std::to_string(i + 1)));
        server.answer("/6", raw_server::ok("x"));
        CHECK(verdict(co_await get(client, server.url("/1"))) == "200");
    });
}

TEST_CASE("a redirect without a place is a response", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/r", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
        CHECK(verdict(co_await get(client, server.url("/r"))) == "302");
    });
}

TEST_CASE("a host that the source does not know is not asked, a redirect there is the response",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/r", raw_server::redirect("http://login.test/in"));
        fetch::request r{server.url("/r")};
        r.allow_host = [](std::string_view host) { return host == "127.0.0.1"; };
        const auto out = co_await client.fetch(r);
        REQUIRE(verdict(out) == "302");
        CHECK(out->header_value("location") == "http://login.test/in");
        CHECK(out->url == server.url("/r"));
        CHECK(out->redirects.empty());
        r.allow_host = [](std::string_view host) { return host == "shop.test"; };
        CHECK(verdict(co_await client.fetch(r)) == "host_not_allowed");
        CHECK(server.requests.size() == 1);
    });
}

TEST_CASE("bad input 42, curl trap 15: secrets stay with the origin they were meant for",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        raw_server other{co_await asio::this_coro::executor};
        server.answer("/start", raw_server::redirect("/same"));
        server.answer("/same", raw_server::redirect(other.url("/away")));
        other.answer("/away", raw_server::redirect(server.url("/back")));
        server.answer("/back", raw_server::ok("x"));
        fetch::request r{server.url("/start")};
        r.headers = {
            {"Authorization", "Bearer t"}, {"Cookie", "a=1"}, {"X-Key", "k", true}, {"X-Plain", "p"}};
        REQUIRE(verdict(co_await client.fetch(r)) == "200");
        for (const auto* head : {&server.requests.at(0), &server.requests.at(1)}) {
            CHECK(has_line(*head, "Authorization: Bearer t"));
            CHECK(has_line(*head, "Cookie: a=1"));
            CHECK(has_line(*head, "X-Key: k"));
        }
        for (const auto* head : {&other.requests.at(0), &server.requests.at(2)}) {
            CHECK_FALSE(has_line(*head, "Authorization: Bearer t"));
            CHECK_FALSE(has_line(*head, "Cookie: a=1"));
            CHECK_FALSE(has_line(*head, "X-Key: k"));
            CHECK(has_line(*head, "X-Plain: p"));
        }
        co_await other.stop();
    });
}

TEST_CASE("bad input 42: a body that holds a secret is not sent on to another origin",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        raw_server other{co_await asio::this_coro::executor};
        other.answer("/away", raw_server::ok("x"));
        server.answer("/same", raw_server::ok("x"));
        const auto post = [&](int status, const std::string& to) -> task<std::string> {
            server.answer("/r", raw_server::redirect(to, status), false);
            fetch::request r{server.url("/r")};
            r.method = "POST";
            r.body = "token=hush";
            r.has_secret_body = true;
            co_return verdict(co_await client.fetch(r));
        };
        CHECK(co_await post(307, server.url("/same")) == "200");
        CHECK(co_await post(307, other.url("/away")) == "307");
        CHECK(co_await post(308, other.url("/away")) == "308");
        CHECK(other.requests.empty());
        CHECK(co_await post(303, other.url("/away")) == "200"); // a GET has no body
        co_await other.stop();
    });
}

TEST_CASE("a POST becomes a GET where browsers do that, and stays one at 307", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/end", raw_server::ok("x"), false);
        for (const auto& [status, method] :
             {std::pair{302, "GET"}, {303, "GET"}, {307, "POST"}, {308, "POST"}}) {
            server.requests.clear();
            server.answer("/r", raw_server::redirect("/end", status), false);
            fetch::request r{server.url("/r")};
            r.method = "POST";
            r.body = "data";
            REQUIRE(verdict(co_await client.fetch(r)) == "200");
            INFO(status);
            CHECK(server.requests.at(1).starts_with(std::string{method} + " /end"));
        }
    });
}
