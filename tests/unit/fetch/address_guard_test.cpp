#include <tiktrend/fetch/address_guard.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;
namespace ip = boost::asio::ip;

namespace {

std::string verdict(const address_guard& guard, std::string_view text) {
    const auto u = parse_url(text);
    if (!u) return std::string{to_string(u.error())};
    const auto refused = guard.check(*u);
    return refused ? std::string{to_string(*refused)} : "ok";
}

address_guard allowing(std::initializer_list<const char*> entries,
                       std::initializer_list<const char*> deny = {}) {
    address_guard::rules rules;
    for (const auto* e : entries)
        rules.allow.push_back(*parse_allow_entry(e));
    for (const auto* d : deny)
        rules.deny.push_back(*parse_ip_range(d));
    return address_guard{rules};
}

bool permits(const address_guard& guard, const char* address, std::uint16_t port = 443,
             const char* host = "shop.test") {
    return guard.permits(ip::make_address(address), port, host);
}

} // namespace

TEST_CASE("bad input 1 to 4: loopback is refused however it is written", "[unit][fetch]") {
    const address_guard guard;
    for (const char* text :
         {"http://127.0.0.1/", "http://localhost/", "http://localhost./", "http://LOCALHOST/",
          "http://a.localhost/", "http://127.1/", "http://0x7f.1/", "http://017700000001/",
          "http://2130706433/", "http://[::1]/", "http://[::1%25eth0]/", "http://[::ffff:127.0.0.1]/",
          "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
          "http://１２７.0.0.1/", "http://①②⑦.0.0.1/", "http://0.0.0.0/", "http://[::]/"}) {
        INFO(text);
        CHECK(verdict(guard, text) == "address_forbidden");
    }
}

TEST_CASE("every special-purpose range is refused at its first and last address, its neighbours are not",
          "[unit][fetch]") {
    const char* const refused[] = {"0.0.0.0",
                                   "0.255.255.255",
                                   "10.0.0.0",
                                   "10.255.255.255",
                                   "100.64.0.0",
                                   "100.127.255.255",
                                   "127.0.0.0",
                                   "127.255.255.255",
                                   "169.254.0.0",
                                   "169.254.169.254",
                                   "169.254.255.255",
                                   "172.16.0.0",
                                   "172.31.255.255",
                                   "192.0.0.0",
                                   "192.0.0.255",
                                   "192.0.2.0",
                                   "192.0.2.255",
                                   "192.88.99.0",
                                   "192.88.99.255",
                                   "192.168.0.0",
                                   "192.168.255.255",
                                   "198.18.0.0",
                                   "198.19.255.255",
                                   "198.51.100.0",
                                   "198.51.100.255",
                                   "203.0.113.0",
                                   "203.0.113.255",
                                   "224.0.0.0",
                                   "239.255.255.255",
                                   "240.0.0.0",
                                   "255.255.255.255",
                                   "::",
                                   "::1",
                                   "::7f00:1",
                                   "::ffff:127.0.0.1",
                                   "::ffff:10.1.2.3",
                                   "64:ff9b::a00:1",
                                   "64:ff9b:1::1",
                                   "100::1",
                                   "2001::1",
                                   "2001:1ff:ffff::1",
                                   "2001:db8::1",
                                   "2002:a00:1::1",
                                   "3fff::1",
                                   "3fff:fff:ffff::1",
                                   "5f00::1",
                                   "fc00::1",
                                   "fdff::1",
                                   "fec0::1",
                                   "fe80::1",
                                   "ff02::1"};
    for (const auto* text : refused) {
        INFO(text);
        CHECK_FALSE(is_public(ip::make_address(text)));
    }
    const char* const open[] = {"1.0.0.0",         "9.255.255.255",   "11.0.0.0",
                                "100.63.255.255",  "100.128.0.0",     "126.255.255.255",
                                "128.0.0.0",       "169.253.255.255", "169.255.0.0",
                                "172.15.255.255",  "172.32.0.0",      "192.0.1.0",
                                "192.0.3.0",       "192.88.98.255",   "192.88.100.0",
                                "192.167.255.255", "192.169.0.0",     "198.17.255.255",
                                "198.20.0.0",      "198.51.99.255",   "198.51.101.0",
                                "203.0.112.255",   "203.0.114.0",     "223.255.255.255",
                                "::ffff:8.8.8.8",  "2001:200::1",     "2001:4860:4860::8888",
                                "2003::1",         "2606:4700::1",    "2a00::1",
                                "4000::1"};
    for (const auto* text : open) {
        INFO(text);
        CHECK(is_public(ip::make_address(text)));
    }
}

TEST_CASE("bad input 15: only web ports pass unless the operator lists more", "[unit][fetch]") {
    const address_guard guard;
    for (const char* text :
         {"http://shop.test:22/", "http://shop.test:25/", "http://shop.test:6379/", "http://8.8.8.8:5432/"})
        CHECK(verdict(guard, text) == "port_forbidden");
    for (const char* text :
         {"http://shop.test/", "https://shop.test/", "http://shop.test:443/", "https://8.8.8.8/"})
        CHECK(verdict(guard, text) == "ok");
    CHECK(verdict(allowing({"shop.test:8080"}), "http://shop.test:8080/") == "ok");
    CHECK(verdict(allowing({"shop.test:8080"}), "http://other.test:8080/") == "port_forbidden");
}

TEST_CASE("at connect the address decides", "[unit][fetch]") {
    const address_guard guard;
    CHECK(permits(guard, "8.8.8.8"));
    CHECK(permits(guard, "::ffff:8.8.8.8"));
    CHECK_FALSE(permits(guard, "8.8.8.8", 8080));
    CHECK_FALSE(permits(guard, "127.0.0.1"));
    CHECK_FALSE(permits(guard, "::ffff:127.0.0.1"));
    CHECK_FALSE(permits(guard, "169.254.169.254", 80));
}

TEST_CASE("an allowed address is open on its port and nowhere else", "[unit][fetch]") {
    const auto guard = allowing({"127.0.0.1:8080"});
    CHECK(verdict(guard, "http://127.0.0.1:8080/") == "ok");
    CHECK(verdict(guard, "http://2130706433:8080/") == "ok");
    CHECK(verdict(guard, "http://localhost:8080/") == "ok");
    CHECK(verdict(guard, "http://127.0.0.1/") == "address_forbidden");
    CHECK(verdict(guard, "http://127.0.0.1:6379/") == "port_forbidden");
    CHECK(verdict(guard, "http://127.0.0.2:8080/") == "port_forbidden");
    CHECK(permits(guard, "127.0.0.1", 8080));
    CHECK(permits(guard, "::ffff:127.0.0.1", 8080));
    CHECK_FALSE(permits(guard, "127.0.0.2", 8080));
    CHECK_FALSE(permits(guard, "8.8.8.8", 8080));
    // The name is not known to be that address before the look-up, so it passes here and is decided at
    // connect.
    CHECK(verdict(guard, "http://shop.test:8080/") == "ok");
}

TEST_CASE("an allowed network is open on web ports, or on every port when it says so", "[unit][fetch]") {
    CHECK(permits(allowing({"10.0.0.0/8"}), "10.1.2.3", 80));
    CHECK_FALSE(permits(allowing({"10.0.0.0/8"}), "10.1.2.3", 6379));
    CHECK(permits(allowing({"10.0.0.0/8:*"}), "10.1.2.3", 6379));
    CHECK_FALSE(permits(allowing({"10.0.0.0/8:*"}), "11.1.2.3", 6379));
    CHECK(permits(allowing({"[fc00::]/7:8443"}), "fd12::1", 8443));
}

TEST_CASE("an allowed name is open at whatever address it has", "[unit][fetch]") {
    const auto guard = allowing({"Demo-Shop:8080"});
    CHECK(permits(guard, "172.17.0.2", 8080, "demo-shop"));
    CHECK_FALSE(permits(guard, "172.17.0.2", 8080, "evil.test"));
    CHECK_FALSE(permits(guard, "172.17.0.2", 80, "demo-shop"));
}

TEST_CASE("the operator's deny list beats everything", "[unit][fetch]") {
    const auto guard = allowing({"10.0.0.0/8:*"}, {"10.9.0.0/16", "8.8.8.0/24"});
    CHECK(permits(guard, "10.8.0.1", 80));
    CHECK_FALSE(permits(guard, "10.9.0.1", 80));
    CHECK_FALSE(permits(guard, "::ffff:8.8.8.8", 443));
}

TEST_CASE("this machine's own public addresses are refused", "[unit][fetch]") {
    address_guard::rules rules;
    rules.own_addresses = {ip::make_address("81.2.69.142")};
    const address_guard guard{rules};
    CHECK(verdict(guard, "http://81.2.69.142/") == "address_forbidden");
    CHECK(verdict(guard, "http://81.2.69.143/") == "ok");
    CHECK_FALSE(own_addresses().empty());
}
