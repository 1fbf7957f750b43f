#include "fixture.hpp"

#include <boost/asio/post.hpp>

namespace tiktrend::cache {
namespace {

testing::redis_server& server() {
    return testing::redis_server::shared();
}
const key list = key::list("products", "all");
const key other_list = key::list("products", "cheap");
const key item = key::one("products", "42");
const key other_item = key::one("products", "43");

/// Asks until the answer is near; the number of loads must not change by it.
task<void> warm(instance& i, const key& k, source& s) {
    REQUIRE(co_await [](instance& in, const key& name, source& from) -> task<bool> {
        for (int n = 0; n < 200 && in.cache.find_near(name) == nullptr; ++n) {
            co_await ask(in.cache, name, from);
            co_await sleep_for(2ms);
        }
        co_return in.cache.find_near(name) != nullptr;
    }(i, k, s));
}

task<void> invalidate(instance& i, std::vector<std::string> ids, std::uint64_t lsn, bool lists = true) {
    invalidator worker{i.far};
    co_await worker.invalidate("products", ids, lsn, lists);
}

/// What both processes say once the news has arrived.
task<bool> both_say(instance& a, instance& b, const key& k, source& s, std::string body) {
    co_return co_await eventually(
        [&] { return a.cache.find_near(k) == nullptr && b.cache.find_near(k) == nullptr; }) &&
        (co_await ask(a.cache, k, s)).starts_with(body) && (co_await ask(b.cache, k, s)).starts_with(body);
}

} // namespace

TEST_CASE("an invalidation reaches every process, for items and lists", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        for (const auto* k : {&list, &other_list, &item, &other_item}) {
            co_await warm(a, *k, s);
            co_await warm(b, *k, s);
        }
        s.body = "v2";
        s.lsn = 200;
        co_await invalidate(a, {"42"}, 200);
        CHECK(co_await both_say(a, b, list, s, "v2"));
        CHECK(co_await both_say(a, b, other_list, s, "v2"));
        CHECK(co_await both_say(a, b, item, s, "v2"));
        CHECK(co_await ask(a.cache, other_item, s) == "v1 hit_near"); // nobody touched it
    });
}

TEST_CASE("items can be invalidated without the lists", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        co_await warm(a, list, s);
        co_await warm(a, item, s);
        s.body = "v2";
        s.lsn = 200;
        co_await invalidate(b, {"42"}, 200, false);
        CHECK(co_await both_say(a, b, item, s, "v2"));
        CHECK(co_await ask(a.cache, list, s) == "v1 hit_near");
    });
}

TEST_CASE("an answer that was read before an invalidation is not stored", "[integration][cache]") {
    const auto k = GENERATE(list, item);
    static key tested = k;
    tested = k;
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        s.gate.reset();
        std::string slow;
        task_group group{a.far.get_executor()};
        group.spawn("slow", note(ask(a.cache, tested, s), slow));
        co_await s.reached.wait(); // has read v1
        s.body = "v2";
        s.lsn = 200;
        co_await invalidate(b, {"42"}, 200);
        s.gate.set();
        co_await group.join();
        CHECK(slow == "v1 miss"); // it asked before the invalidation
        CHECK(co_await a.fill(1) == fill_result::moved);
        CHECK(co_await ask(b.cache, tested, s) == "v2 miss");
        CHECK(co_await ask(a.cache, tested, s) != "v1 hit_near");
        CHECK((co_await ask(a.cache, tested, s)).starts_with("v2"));
    });
}

TEST_CASE("who asks after an invalidation does not join a load from before it", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        co_await warm(a, other_list, s); // the list guard exists
        s.gate.reset();
        s.reached.reset();
        std::string early;
        std::string late;
        task_group group{a.far.get_executor()};
        group.spawn("early", note(ask(a.cache, list, s), early));
        co_await s.reached.wait();
        s.body = "v2";
        s.lsn = 200;
        co_await invalidate(b, {}, 200);
        CHECK(co_await eventually(
            [&] { return a.cache.find_near(other_list) == nullptr; })); // the news is here
        s.reached.reset();
        group.spawn("late", note(ask(a.cache, list, s), late));
        co_await s.reached.wait();
        s.gate.set();
        co_await group.join();
        CHECK(early == "v1 miss");
        CHECK(late == "v2 miss");
    });
}

TEST_CASE("an answer from a replica that lags is given but not stored", "[integration][cache]") {
    const auto k = GENERATE(list, item);
    static key tested = k;
    tested = k;
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        co_await warm(a, tested, s);
        co_await invalidate(b, {"42"}, 200);
        CHECK(co_await eventually([&] { return a.cache.find_near(tested) == nullptr; }));
        const auto before = a.fills.size();
        s.lsn = 199; // the replica has not replayed the change
        CHECK(co_await ask(a.cache, tested, s) == "v1 miss");
        CHECK(co_await a.fill(before + 1) == fill_result::too_old);
        CHECK(co_await ask(a.cache, tested, s) == "v1 miss");
        CHECK(co_await a.fill(before + 2) == fill_result::too_old);
        s.body = "v2";
        s.lsn = 200;
        CHECK(co_await ask(a.cache, tested, s) == "v2 miss");
        CHECK(co_await a.fill(before + 3) == fill_result::stored);
        CHECK(co_await ask(b.cache, tested, s) == "v2 hit");
    });
}

TEST_CASE("an invalidation that arrives late never lowers the gate", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        co_await invalidate(a, {"42"}, 1'000'000'000'000);
        co_await invalidate(b, {"42"}, 999'999'999'999);
        s.lsn = 999'999'999'999;
        CHECK(co_await ask(a.cache, item, s) == "v1 miss");
        CHECK(co_await a.fill(1) == fill_result::too_old);
        CHECK(co_await ask(a.cache, list, s) == "v1 miss");
        CHECK(co_await a.fill(2) == fill_result::too_old);
        s.lsn = 1'000'000'000'000;
        CHECK(co_await ask(a.cache, list, s) == "v1 miss");
        CHECK(co_await a.fill(3) == fill_result::stored);
    });
}

TEST_CASE("many items go in calls of five hundred", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        std::vector<std::string> ids;
        for (int i = 0; i < 1200; ++i)
            ids.push_back(std::to_string(i));
        const auto last = key::one("products", "1199");
        co_await warm(a, last, s);
        co_await warm(a, list, s);
        s.body = "v2";
        s.lsn = 200;
        co_await invalidate(b, ids, 200);
        CHECK(co_await both_say(a, b, last, s, "v2"));
        CHECK(co_await both_say(a, b, list, s, "v2"));
        CHECK(server().command({"EXISTS", one_guard_key("products", "0"), one_guard_key("products", "600"),
                                one_guard_key("products", "1199")}) == "3");
        CHECK(std::stoll(server().command({"PTTL", one_guard_key("products", "0")})) > 500'000);
        CHECK(server().command({"PTTL", lists_guard_key("products")}) == "-1");
    });
}

TEST_CASE("clearing a scope drops its items and lists and no other scope", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        const auto copy = key::one("copy", "42");
        for (const auto* k : {&list, &item, &copy}) {
            co_await warm(a, *k, s);
            co_await warm(b, *k, s);
        }
        const auto loads = s.loads;
        s.body = "v2";
        invalidator admin{b.far};
        s.lsn = 300;
        co_await admin.clear("products", 300);
        CHECK(co_await both_say(a, b, list, s, "v2"));
        CHECK(co_await both_say(a, b, item, s, "v2"));
        CHECK((co_await ask(a.cache, copy, s)).starts_with("v1"));
        CHECK(s.loads == loads + 2);
    });
}

TEST_CASE("a replica that lags behind a clear brings nothing back", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        co_await warm(a, item, s);
        co_await warm(b, list, s);
        invalidator admin{b.far};
        co_await admin.clear("products", 300);
        s.lsn = 299; // still "v1": what the replica shows
        CHECK(co_await eventually([&] { return !a.cache.find_near(item) && !b.cache.find_near(list); }));
        for (const auto* k : {&item, &list})
            CHECK((co_await ask(a.cache, *k, s)).starts_with("v1"));
        s.body = "v2";
        s.lsn = 300;
        CHECK(co_await both_say(a, b, list, s, "v2"));
        CHECK(co_await both_say(a, b, item, s, "v2"));
    });
}

TEST_CASE("a flushed Redis empties the near caches", "[integration][cache]") {
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        co_await warm(a, list, s);
        co_await warm(b, item, s);
        s.body = "v2";
        server().command({"FLUSHALL"});
        CHECK(co_await both_say(a, b, list, s, "v2"));
        CHECK(co_await both_say(a, b, item, s, "v2"));
        CHECK(a.cache.near().is_trusted());
    });
}

TEST_CASE("the near cache is off while its push connection is down", "[integration][cache]") {
    testing::redis_server own;
    static testing::redis_server* deaf = &own;
    deaf = &own;
    with_caches(
        [](instance& a, instance& b, source& s) -> task<void> {
            co_await warm(a, list, s);
            // Killed and not allowed to come back: what changes now is not heard.
            deaf->command({"ACL", "SETUSER", "default", "-client|tracking"});
            deaf->command({"CLIENT", "KILL", "TYPE", "pubsub"});
            CHECK(co_await eventually([&] { return !a.cache.near().is_trusted(); }));
            s.body = "v2";
            s.lsn = 200;
            co_await invalidate(b, {}, 200);
            CHECK(a.cache.find_near(list) == nullptr);
            CHECK((co_await ask(a.cache, list, s)).starts_with("v2"));
            CHECK(a.cache.find_near(list) == nullptr);
            deaf->command({"ACL", "SETUSER", "default", "+@all"});
            CHECK(co_await eventually(
                [&] { return a.cache.near().is_trusted() && b.cache.near().is_trusted(); }));
            CHECK((co_await ask(a.cache, list, s)).starts_with("v2"));
        },
        response_cache_options{}, own);
}

TEST_CASE("readers never see an answer older than the last invalidation for long", "[integration][cache]") {
    // Two processes read as fast as they can while a writer commits and invalidates. After each invalidation
    // has been heard, no reader may get an older version, whatever was in flight.
    with_caches([](instance& a, instance& b, source& s) -> task<void> {
        s.body = "0";
        s.lsn = 1;
        const auto heard = key::one("products", "heard");
        bool done = false;
        int floor = 0; // every answer that was asked for from now on must be at least this
        std::vector<std::string> stale;
        auto read = [](instance& i, const key& k, source& from, const bool* ended, const int& least,
                       std::vector<std::string>& wrong) -> task<void> {
            while (!*ended) {
                const auto expected = least;
                const auto a1 = co_await i.cache.get(k, 1h, from.load());
                if (std::stoi(a1.value->body) < expected)
                    wrong.push_back(a1.value->body + " < " + std::to_string(expected));
                co_await asio::post(i.far.get_executor(), asio::use_awaitable);
            }
        };
        task_group readers{a.far.get_executor()};
        for (auto* i : {&a, &b})
            for (const auto* k : {&list, &item})
                readers.spawn("reader", read(*i, *k, s, &done, floor, stale));
        for (int version = 1; version <= 100; ++version) {
            s.body = std::to_string(version);
            s.lsn = static_cast<std::uint64_t>(version) + 1;
            co_await warm(a, heard, s);
            co_await warm(b, heard, s);
            co_await invalidate(a, {"42", "heard"}, s.lsn);
            // One script, one message: once this is gone from both, the rest has arrived too.
            CHECK(co_await eventually(
                [&] { return a.cache.find_near(heard) == nullptr && b.cache.find_near(heard) == nullptr; }));
            floor = version;
        }
        done = true;
        co_await readers.join();
        CHECK(stale.empty());
        CHECK(s.loads >= 100);
        const auto count = [](const instance& i, outcome o) {
            return std::count(i.outcomes.begin(), i.outcomes.end(), o);
        };
        CHECK(count(a, outcome::hit_near) > 0);
        CHECK(count(b, outcome::hit_near) > 0);
    });
}

} // namespace tiktrend::cache
