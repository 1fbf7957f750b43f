#include "trusted_proxies.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace tiktrend::http;
using boost::asio::ip::make_address;

namespace {

std::string client(const trusted_proxies& p, const char* name, const char* value) {
    headers h;
    h.add(name, value);
    const auto a = p.client_of(h);
    return a ? a->to_string() : "";
}

} // namespace

TEST_CASE("blocks hold their addresses, mapped ones too", "[unit][http]") {
    const trusted_proxies p{{"10.1.0.0/16", "192.0.2.7", "2001:db8::/32"}};
    CHECK(p.trusts(make_address("10.1.255.3")));
    CHECK_FALSE(p.trusts(make_address("10.2.0.1")));
    CHECK(p.trusts(make_address("192.0.2.7")));
    CHECK_FALSE(p.trusts(make_address("192.0.2.8")));
    CHECK(p.trusts(make_address("::ffff:10.1.0.1")));
    CHECK(p.trusts(make_address("2001:db8:1::5")));
    CHECK_FALSE(p.trusts(make_address("2001:db9::")));
    CHECK_FALSE(trusted_proxies{{}}.trusts(make_address("127.0.0.1")));
    CHECK_THROWS_AS(trusted_proxies{{"10.0.0.0/33"}}, std::invalid_argument);
    CHECK_THROWS_AS(trusted_proxies{{"proxy.test"}}, std::invalid_argument);
}

TEST_CASE("the client is the rightmost hop that is no proxy of ours", "[unit][http]") {
    const trusted_proxies p{{"10.0.0.0/8"}};
    CHECK(client(p, "X-Forwarded-For", "203.0.113.9") == "203.0.113.9");
    CHECK(client(p, "X-Forwarded-For", "1.2.3.4, 203.0.113.9, 10.0.0.5") ==
          "203.0.113.9"); // 1.2.3.4 is hearsay
    CHECK(client(p, "X-Forwarded-For", "203.0.113.9:4711") == "203.0.113.9");
    CHECK(client(p, "X-Forwarded-For", "10.0.0.1, 10.0.0.2").empty());
    CHECK(client(p, "X-Forwarded-For", "203.0.113.9, junk").empty());
    CHECK(client(p, "X-Forwarded-For", "").empty());
    CHECK(client(p, "Forwarded", "for=203.0.113.9;proto=https, for=10.0.0.5") == "203.0.113.9");
    CHECK(client(p, "Forwarded", "proto=https; For=\"[2001:db8::17]:4711\"") == "2001:db8::17");
    CHECK(client(p, "Forwarded", "for=unknown").empty());
}
