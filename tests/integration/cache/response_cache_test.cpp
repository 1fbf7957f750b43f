#include "fixture.hpp"

#include <boost/asio/post.hpp>

namespace tiktrend::cache {
namespace {

testing::redis_server& server() {
    return testing::redis_server::shared();
}
const key list = key::list("products", "all");
const key item = key::one("products", "42");

} // namespace

TEST_CASE("the first request loads, the second finds it near, another process in Redis",
          "[integration][cache]") {
    const auto k = GENERATE(list, item);
    static key tested = k;
    tested = k;
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        CHECK(co_await ask(a.cache, tested, s) == "v1 miss");
        CHECK(co_await a.fill(1) == fill_result::stored);
        // The first fill of a scope creates the guard, and its notice drops the near copy once.
        CHECK(co_await eventually(
            [&] { return a.cache.find_near(tested) != nullptr || a.cache.near().size() == 0; }));
        co_await ask(a.cache, tested, s);
        CHECK(co_await eventually([&] { return a.cache.find_near(tested) != nullptr; }));
        CHECK(co_await ask(a.cache, tested, s) == "v1 hit_near");
        CHECK(co_await ask(b.cache, tested, s) == "v1 hit");
        CHECK(co_await ask(b.cache, tested, s) == "v1 hit_near");
        CHECK(s.loads == 1);
        CHECK(b.outcomes == std::vector{outcome::hit, outcome::hit_near});
    });
}

TEST_CASE("what comes from Redis is the same answer in every detail", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        s.body = std::string(5000, 'x');
        s.lsn = 0xFFFF'FFFF'FFFF'FFFF;
        const auto first = co_await a.cache.get(item, 1h, s.load());
        co_await a.fill(1);
        const auto second = co_await b.cache.get(item, 1h, s.load());
        CHECK(second.how == outcome::hit);
        CHECK(second.value->body == first.value->body);
        CHECK(second.value->gzip == first.value->gzip);
        CHECK(second.value->etag == first.value->etag);
        CHECK(second.value->lsn == first.value->lsn);
        CHECK(second.value->filled_at_ms == first.value->filled_at_ms);
        CHECK_FALSE(second.value->gzip.empty());
    });
}

TEST_CASE("one loader at a time per key", "[integration][cache]") {
    with_caches([](instance& a, instance&, source& s) -> task<void> {
        s.gate.reset();
        std::vector<std::string> said(50);
        task_group group{a.far.get_executor()};
        for (auto& out : said)
            group.spawn("asker", note(ask(a.cache, list, s), out));
        co_await s.reached.wait();
        s.gate.set();
        co_await group.join();
        CHECK(s.loads == 1);
        CHECK(std::count(said.begin(), said.end(), "v1 miss") == 1);
        CHECK(std::count(said.begin(), said.end(), "v1 coalesced") == 49);
    });
}

TEST_CASE("a failing loader fails all who wait, and the next request tries again", "[integration][cache]") {
    with_caches([](instance& a, instance&, source& s) -> task<void> {
        s.gate.reset();
        s.fails = true;
        std::vector<std::string> said(3);
        task_group group{a.far.get_executor()};
        for (auto& out : said)
            group.spawn("asker", note(ask(a.cache, item, s), out));
        co_await s.reached.wait();
        s.gate.set();
        co_await group.join();
        CHECK(said == std::vector<std::string>(3, "! database is away"));
        CHECK(s.loads == 1);
        s.fails = false;
        CHECK(co_await ask(a.cache, item, s) == "v1 miss");
        CHECK(s.loads == 2);
    });
}

TEST_CASE("a loader that takes too long is ended", "[integration][cache]") {
    response_cache_options o;
    o.load_timeout = 30ms;
    with_caches(
        [](instance& a, instance&, source& s) -> task<void> {
            s.gate.reset();
            error_code code;
            try {
                co_await a.cache.get(item, 1h, s.load());
            } catch (const system_error& e) {
                code = e.code();
            }
            CHECK(code == errc::timed_out);
        },
        o);
}

TEST_CASE("a caller that goes away leaves the load to the others", "[integration][cache]") {
    with_caches([](instance& a, instance&, source& s) -> task<void> {
        s.gate.reset();
        std::string first;
        std::string second;
        task_group leaving{a.far.get_executor()};
        task_group staying{a.far.get_executor()};
        leaving.spawn("first", note(ask(a.cache, item, s), first));
        co_await s.reached.wait();
        staying.spawn("second", note(ask(a.cache, item, s), second));
        co_await sleep_for(2ms);
        leaving.cancel();
        co_await leaving.join();
        s.gate.set();
        co_await staying.join();
        CHECK(first.starts_with("!"));
        CHECK(second == "v1 coalesced");
        CHECK(s.loads == 1);
        CHECK(co_await a.fill(1) == fill_result::stored);
    });
}

TEST_CASE("stopping ends loads and their waiters", "[integration][cache]") {
    with_caches([](instance& a, instance&, source& s) -> task<void> {
        s.gate.reset();
        std::string reading;
        std::string starting;
        task_group group{a.far.get_executor()};
        group.spawn("reading", note(ask(a.cache, item, s), reading));
        co_await s.reached.wait();
        group.spawn("starting", note(ask(a.cache, list, s), starting));
        co_await asio::post(a.far.get_executor(), asio::use_awaitable);
        co_await a.cache.stop();
        co_await group.join();
        CHECK(reading == "! stopped [tiktrend.base:2]");
        CHECK(starting == "! stopped [tiktrend.base:2]");
        CHECK(co_await ask(a.cache, item, s) == "! stopped [tiktrend.base:2]");
    });
}

TEST_CASE("answers expire in Redis, jittered, negative ones soon", "[integration][cache]") {
    with_caches([](instance& a, instance&, source& s) -> task<void> {
        std::vector<std::int64_t> lives;
        for (int i = 0; i < 20; ++i) {
            const auto k = key::one("products", std::to_string(i));
            co_await ask(a.cache, k, s, 100s);
            co_await a.fill(static_cast<std::size_t>(i) + 1);
            lives.push_back(std::stoll(server().command({"PTTL", k.value()})));
        }
        const auto [low, high] = std::minmax_element(lives.begin(), lives.end());
        CHECK(*low > 89'000);
        CHECK(*high <= 100'000);
        CHECK(*high - *low > 1'000);

        s.found = false;
        co_await ask(a.cache, item, s, 100s);
        co_await a.fill(21);
        CHECK(std::stoll(server().command({"PTTL", item.value()})) <= 30'000);
        const auto again = co_await a.cache.get(item, 100s, s.load());
        CHECK_FALSE(again.value->found);
        CHECK(s.loads == 21);
    });
}

TEST_CASE("a very large answer is given but not stored", "[integration][cache]") {
    response_cache_options o;
    o.max_value_bytes = 10'000;
    with_caches(
        [](instance& a, instance&, source& s) -> task<void> {
            s.body = std::string(20'000, 'x');
            CHECK((co_await a.cache.get(item, 1h, s.load())).value->body.size() == 20'000);
            CHECK(co_await a.fill(1) == fill_result::too_large);
            CHECK(server().command({"EXISTS", item.value()}) == "0");
        },
        o);
}

TEST_CASE("a damaged value in Redis is loaded anew", "[integration][cache]") {
    with_caches([](instance& a, instance&, source& s) -> task<void> {
        server().command({"SET", item.value(), "garbage"});
        CHECK(co_await ask(a.cache, item, s) == "v1 miss");
        CHECK(co_await a.fill(1) == fill_result::stored);
    });
}

TEST_CASE("without Redis requests go to the loader, and back when it returns", "[integration][cache]") {
    testing::redis_server own;
    static testing::redis_server* restarted = &own;
    restarted = &own;
    with_caches(
        [](instance& a, instance&, source& s) -> task<void> {
            CHECK(co_await ask(a.cache, item, s) == "v1 miss");
            co_await a.fill(1);
            CHECK(co_await eventually([&] { return a.cache.find_near(item) != nullptr; }));

            restarted->kill();
            // Nothing near may be trusted once the connection is known to be lost.
            CHECK(co_await eventually([&] { return !a.cache.near().is_trusted() && !a.far.is_connected(); }));
            CHECK(a.cache.near().size() == 0);
            s.body = "v2";
            CHECK(co_await ask(a.cache, item, s) == "v2 bypass");
            CHECK(co_await ask(a.cache, item, s) == "v2 bypass");
            std::vector<std::string> said(2);
            {
                task_group group{a.far.get_executor()};
                for (auto& out : said)
                    group.spawn("asker", note(ask(a.cache, item, s), out));
                co_await group.join();
            }
            CHECK(said == std::vector<std::string>{"v2 bypass", "v2 coalesced"});

            restarted->start();
            CHECK(co_await eventually([&] { return a.cache.near().is_trusted() && a.far.is_connected(); }));
            CHECK(co_await ask(a.cache, item, s) == "v2 miss"); // the restarted server is empty
            co_await a.fill(2);
            CHECK(co_await ask(a.cache, item, s) == "v2 hit_near");
        },
        response_cache_options{}, own);
}

TEST_CASE("a Redis that refuses writes costs nothing but the hits", "[integration][cache]") {
    testing::redis_server own;
    static testing::redis_server* full = &own;
    full = &own;
    with_caches(
        [](instance& a, instance&, source& s) -> task<void> {
            full->command({"CONFIG", "SET", "maxmemory", "1"});
            CHECK(co_await ask(a.cache, item, s) == "v1 miss");
            CHECK(co_await a.fill(1) == fill_result::failed);
            CHECK(co_await ask(a.cache, item, s) == "v1 miss");
            CHECK(a.cache.near().size() == 0);
        },
        response_cache_options{}, own);
}

TEST_CASE("while the source is away, answers that no longer count are given and marked",
          "[integration][cache]") {
    static manual_clock clock{1'000'000};
    response_cache_options o;
    o.stale_for = 1h;
    o.source_rest = 0ms;
    o.ttl_jitter = 0;
    o.clock = &clock;
    o.near.max_bytes = 0;
    with_caches(
        [](instance& a, instance& b, source& s) -> task<void> {
            CHECK(co_await ask(a.cache, list, s, 10s) == "v1 miss");
            CHECK(co_await a.fill(1) == fill_result::stored);
            CHECK(co_await ask(b.cache, list, s, 10s) == "v1 hit");
            invalidator changes{a.far};
            co_await changes.invalidate("products", {}, 200);
            s.away = true;
            CHECK(co_await ask(b.cache, list, s, 10s) == "v1 stale"); // an old generation
            s.away = false;
            s.body = "v2";
            s.lsn = 300;
            CHECK(co_await ask(b.cache, list, s, 10s) == "v2 miss"); // as soon as it is back
            CHECK(co_await b.fill(1) == fill_result::stored);
            clock.advance(11s);
            s.away = true;
            CHECK(co_await ask(a.cache, list, s, 10s) == "v2 stale"); // past its time to live
            CHECK(co_await ask(a.cache, key::list("products", "other"), s, 10s) ==
                  "! deadline passed [tiktrend.base:1]");
            co_await changes.clear("products", 0);
            CHECK(co_await ask(a.cache, list, s, 10s) ==
                  "! deadline passed [tiktrend.base:1]"); // cleared by hand
        },
        o);
}

TEST_CASE("an item that was invalidated is given, marked, while the source is away", "[integration][cache]") {
    response_cache_options o;
    o.stale_for = 1h;
    o.source_rest = 0ms;
    o.near.max_bytes = 0;
    SECTION("asking the source each time") {}
    SECTION("sparing the source for a while") {
        o.source_rest = 1h;
    }
    with_caches(
        [](instance& a, instance& b, source& s) -> task<void> {
            const auto nothing = key::one("products", "8");
            const std::vector<std::string> ids{"42", "8"};
            CHECK(co_await ask(a.cache, item, s) == "v1 miss");
            CHECK(co_await a.fill(1) == fill_result::stored);
            s.found = false;
            CHECK(co_await ask(a.cache, nothing, s) == "v1 miss");
            CHECK(co_await a.fill(2) == fill_result::stored);
            s.found = true;
            invalidator changes{a.far};
            co_await changes.invalidate("products", ids, 200);
            s.away = true;
            CHECK(co_await ask(b.cache, item, s) == "v1 stale");
            CHECK(co_await ask(b.cache, item, s) == "v1 stale");
            // That there was none says nothing about now.
            CHECK(co_await ask(b.cache, nothing, s) == "! deadline passed [tiktrend.base:1]");
            s.away = false;
            s.body = "v2";
            s.lsn = 300;
            CHECK(co_await ask(a.cache, item, s) == "v2 miss");
            CHECK(co_await a.fill(3) == fill_result::stored);
            co_await changes.invalidate_all("products", 0); // old, but still there
            s.away = true;
            CHECK(co_await ask(a.cache, item, s) == "v2 stale");
            co_await changes.invalidate("products", ids, 400);
            CHECK(co_await ask(a.cache, item, s) == "v2 stale");
            co_await changes.clear("products", 0);
            CHECK(co_await ask(a.cache, item, s) == "! deadline passed [tiktrend.base:1]");
        },
        o);
}

TEST_CASE("while the source is away one at a time waits for it, the others have a stale answer at once",
          "[integration][cache]") {
    response_cache_options o;
    o.stale_for = 1h;
    o.source_rest = 0ms;
    o.load_timeout = 2s;
    o.near.max_bytes = 0;
    with_caches(
        [](instance& a, instance&, source& s) -> task<void> {
            const auto other = key::list("products", "other");
            CHECK(co_await ask(a.cache, list, s) == "v1 miss");
            CHECK(co_await ask(a.cache, other, s) == "v1 miss");
            CHECK(co_await a.fill(2) == fill_result::stored);
            co_await invalidator{a.far}.invalidate("products", {}, 200);
            s.gate.reset(); // it does not answer any more
            CHECK(co_await ask(a.cache, list, s) == "v1 stale");
            CHECK(s.loads == 3);
            std::string slow;
            task_group group{a.far.get_executor()};
            group.spawn("prober", note(ask(a.cache, list, s), slow));
            CHECK(co_await eventually([&] { return s.loads == 4; }));
            CHECK(co_await ask(a.cache, other, s) == "v1 stale");
            CHECK(s.loads == 4); // it was not asked for this
            CHECK(slow.empty());
            s.gate.set(); // it is back
            co_await group.join();
            CHECK(slow == "v1 miss");
            CHECK(co_await ask(a.cache, other, s) == "v1 miss");
        },
        o);
}

TEST_CASE("without Redis only so many load at once", "[integration][cache]") {
    testing::redis_server own;
    static testing::redis_server* gone = &own;
    gone = &own;
    response_cache_options o;
    o.max_uncached_loads = 3;
    with_caches(
        [](instance& a, instance&, source& s) -> task<void> {
            gone->kill();
            CHECK(co_await eventually([&] { return !a.far.is_connected(); }));
            s.gate.reset();
            std::vector<std::string> said(5);
            task_group group{a.far.get_executor()};
            for (std::size_t i = 0; i < said.size(); ++i)
                group.spawn("asker", note(ask(a.cache, key::one("products", std::to_string(i)), s), said[i]));
            CHECK(co_await eventually([&] {
                return s.loads == 3 &&
                       std::count_if(said.begin(), said.end(), [](const auto& t) { return !t.empty(); }) == 2;
            }));
            s.gate.set();
            co_await group.join();
            CHECK(std::count(said.begin(), said.end(), "v1 bypass") == 3);
        },
        o, own);
}

} // namespace tiktrend::cache
