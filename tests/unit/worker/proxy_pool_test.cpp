#include "crawl/proxy_pool.hpp"

#include <tiktrend/base/clock.hpp>

#include <catch2/catch.hpp>

#include <set>

using namespace tiktrend;
using namespace tiktrend::worker;
using namespace std::chrono_literals;

namespace {

struct hand_clock final : wall_clock {
    std::int64_t now = 1'000'000;
    std::int64_t now_ms() const noexcept override { return now; }
};

proxy_lists three() {
    return {{"shop", {"http://a.test:1", "http://b.test:1", "http://c.test:1"}}};
}

} // namespace

TEST_CASE("entries of proxies are read, and wrong ones named without their password",
          "[unit][worker][proxies]") {
    const auto lists =
        parse_proxies({"shop=http://u:secret@a.test:3128  socks5h://b.test:1080", "*=https://c.test:443"});
    REQUIRE(lists.has_value());
    CHECK(lists->at("shop") ==
          std::vector<std::string>{"http://u:secret@a.test:3128", "socks5h://b.test:1080"});
    CHECK(lists->at("*").size() == 1);
    CHECK(parse_proxies({"http://a.test:1"}).error().find("SOURCE=") != std::string::npos);
    CHECK(parse_proxies({"shop="}).error() == "shop without a proxy");
    for (const char* bad : {"ftp://a.test:1", "a.test:1", "http://a.test", "http://a.test:1/path"})
        CHECK_FALSE(parse_proxies({std::string{"shop="} + bad}).has_value());
    CHECK(parse_proxies({"shop=gopher://u:secret@a.test:1"}).error().find("secret") == std::string::npos);
    CHECK(password_of("http://u:secret@a.test:1") == "secret");
    CHECK(password_of("http://a.test:1").empty());
}

TEST_CASE("a job keeps its proxy, many jobs use all of them", "[unit][worker][proxies]") {
    hand_clock clock;
    const proxy_pool pool{three(), clock};
    std::set<std::string> used;
    for (int i = 0; i < 50; ++i) {
        const auto job = std::to_string(i);
        used.insert((*pool.choose("shop", job)));
        CHECK((*pool.choose("shop", job)) == (*pool.choose("shop", job)));
    }
    CHECK(used.size() == 3);
    CHECK((*pool.choose("other", "1")).empty());
}

TEST_CASE("a proxy that fails rests, longer each time, and only its jobs move", "[unit][worker][proxies]") {
    hand_clock clock;
    proxy_pool::options o;
    o.first_rest = 10s;
    o.last_rest = 30s;
    proxy_pool pool{three(), clock, o};
    std::map<std::string, std::string> before;
    for (int i = 0; i < 30; ++i)
        before[std::to_string(i)] = (*pool.choose("shop", std::to_string(i)));
    pool.failed("http://a.test:1");
    for (const auto& [job, proxy] : before) {
        const auto now = (*pool.choose("shop", job));
        CHECK(now != "http://a.test:1");
        if (proxy != "http://a.test:1") CHECK(now == proxy);
    }
    clock.now += 10'000;
    for (const auto& [job, proxy] : before)
        CHECK((*pool.choose("shop", job)) == proxy);
    pool.failed("http://a.test:1");
    pool.rest("http://b.test:1", 1min);
    pool.rest("http://c.test:1", 1min);
    const auto none = pool.choose("shop", "1");
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error() == 20s); // twice the first rest
}
