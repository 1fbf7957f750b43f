#include <tiktrend/cache/near_cache.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::cache;
using namespace std::chrono_literals;

namespace {

const near_cache::clock::time_point start{1h};

entry_ptr text(std::string body) {
    return make_entry(std::move(body), true, 0, 0);
}

struct fixture {
    explicit fixture(std::size_t max_bytes = 1U << 20) : cache{sized(max_bytes)} { cache.set_trusted(true); }
    static near_cache::options sized(std::size_t n) {
        near_cache::options o;
        o.max_bytes = n;
        return o;
    }
    bool put(std::string_view key, std::string body, std::string_view guard = "g") {
        return cache.store(cache.expect(guard), key, text(std::move(body)), start);
    }
    /// The body, or "-" if absent.
    std::string get(std::string_view key, near_cache::clock::duration later = 0s) {
        const auto e = cache.find(key, start + later);
        return e ? e->body : "-";
    }
    near_cache cache;
};

} // namespace

TEST_CASE("a stored answer is found until it is 30 s old", "[unit][cache]") {
    fixture f;
    CHECK(f.put("a", "1"));
    CHECK(f.get("a") == "1");
    CHECK(f.get("b") == "-");
    CHECK(f.get("a", 29'999ms) == "1");
    CHECK(f.get("a", 30s) == "-");
    CHECK(f.cache.size() == 0);
    CHECK(f.cache.bytes() == 0);
}

TEST_CASE("a newer answer replaces the older", "[unit][cache]") {
    fixture f;
    f.put("a", "1");
    f.put("a", "2");
    CHECK(f.get("a") == "2");
    CHECK(f.cache.size() == 1);
}

TEST_CASE("a changed guard invalidates what it guards and nothing else", "[unit][cache]") {
    fixture f;
    f.put("list1", "1", "lists");
    f.put("list2", "2", "lists");
    f.put("one", "3", "one:7");
    f.cache.invalidate("lists");
    CHECK(f.get("list1") == "-");
    CHECK(f.get("list2") == "-");
    CHECK(f.get("one") == "3");
    f.cache.invalidate("unknown");
    CHECK(f.get("one") == "3");
    CHECK(f.put("list1", "new", "lists"));
    CHECK(f.get("list1") == "new");
}

TEST_CASE("an invalidation that overtakes a read wins", "[unit][cache]") {
    fixture f;
    const auto t = f.cache.expect("g");
    SECTION("of the guard") {
        f.cache.invalidate("g");
    }
    SECTION("of everything") {
        f.cache.clear();
    }
    SECTION("by losing the connection") {
        f.cache.set_trusted(false);
        f.cache.set_trusted(true);
    }
    CHECK_FALSE(f.cache.store(t, "a", text("old"), start));
    CHECK(f.get("a") == "-");
    CHECK(f.put("a", "new"));
}

TEST_CASE("a read for another guard is not disturbed", "[unit][cache]") {
    fixture f;
    const auto t = f.cache.expect("g");
    f.cache.invalidate("h");
    CHECK(f.cache.store(t, "a", text("1"), start));
}

TEST_CASE("nothing is held or stored while invalidations cannot be heard", "[unit][cache]") {
    fixture f;
    f.put("a", "1");
    f.cache.set_trusted(false);
    CHECK(f.get("a") == "-");
    CHECK_FALSE(f.put("a", "1"));
    // Taken while off: what changed before the connection came is unknown.
    const auto t = f.cache.expect("g");
    f.cache.set_trusted(true);
    CHECK_FALSE(f.cache.store(t, "a", text("1"), start));
    near_cache fresh;
    CHECK_FALSE(fresh.is_trusted());
}

TEST_CASE("the least recently used answers go first and the bound holds", "[unit][cache]") {
    fixture f{10'000};
    const std::string body(880, 'x'); // below the size that is compressed
    for (int i = 0; i < 8; ++i)
        f.put(std::to_string(i), body);
    CHECK(f.cache.size() == 8);
    CHECK(f.get("0") == body); // used again
    f.put("8", body);
    CHECK(f.get("0") == body);
    CHECK(f.get("1") == "-");
    for (int i = 0; i < 1000; ++i) {
        f.put("more" + std::to_string(i), body, "guard" + std::to_string(i));
        REQUIRE(f.cache.bytes() <= 10'000);
    }
    CHECK_FALSE(f.put("huge", std::string(20'000, 'x')));
    f.cache.clear();
    CHECK(f.cache.bytes() == 0);
}

TEST_CASE("a cache without room stores nothing", "[unit][cache]") {
    fixture f{0};
    CHECK_FALSE(f.put("a", "1"));
    CHECK(f.get("a") == "-");
}

TEST_CASE("an answer that was handed out outlives the cache", "[unit][cache]") {
    entry_ptr e;
    {
        fixture f;
        f.put("a", "1");
        e = f.cache.find("a", start);
    }
    CHECK(e->body == "1");
}
