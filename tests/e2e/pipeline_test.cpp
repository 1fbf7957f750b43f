#include "stack.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace tiktrend;
using e2e::integer;
using e2e::text;

namespace {

/// One stack for the tests of this program: what they check does not depend on each other's products.
e2e::stack& shared() {
    static e2e::stack s;
    return s;
}

simdjson::dom::array items(const e2e::answer& a) {
    return a.json()["items"].get_array();
}

} // namespace

TEST_CASE("a scrape started over HTTP ends as products in the API", "[e2e]") {
    auto& s = shared();
    const auto id = s.start_scrape();
    const auto job = s.wait_for_job(id);
    INFO(job.body);
    REQUIRE(text(job.json(), "state") == "completed");
    CHECK(integer(job.json()["result"], "products_found") == 250);

    SECTION("pages join without holes or repetitions") {
        std::set<std::int64_t> ids;
        std::string path = "/products?source=demo.shop&limit=40&sort=price";
        std::string last_price;
        int pages = 0;
        while (!path.empty() && pages < 20) {
            const auto page = s.api().get(path);
            REQUIRE(page.status == 200);
            for (const auto item : items(page))
                CHECK(ids.insert(integer(item, "id")).second);
            const auto cursor = text(page.json(), "next_cursor");
            CHECK(page.header("link").empty() == cursor.empty());
            path = cursor.empty() ? "" : "/products?source=demo.shop&limit=40&sort=price&cursor=" + cursor;
            ++pages;
        }
        CHECK(ids.size() == 250);
        CHECK(pages == 7);
    }

    SECTION("a repeated question is answered from the cache, and 304 when nothing changed") {
        const auto first = s.api().get("/products?source=demo.shop&limit=3");
        REQUIRE(first.status == 200);
        // The answer does not wait for its way into the cache, and another thread of the gateway may ask
        // first.
        e2e::answer again;
        CHECK(testing::poll_until(
            [&] {
                again = s.api().get("/products?limit=3&source=demo.shop");
                return again.header("x-cache") == "hit";
            },
            std::chrono::seconds{5}));
        CHECK(again.body == first.body);
        const auto same =
            s.api().get("/products?source=demo.shop&limit=3", {"If-None-Match: " + first.header("etag")});
        CHECK(same.status == 304);
        CHECK(same.body.empty());
        const auto packed = s.api().get("/products?source=demo.shop&limit=3", {"Accept-Encoding: gzip"});
        CHECK(packed.header("content-encoding") == "gzip");
        CHECK(packed.body.size() < first.body.size());
    }

    SECTION("a product is found by its id, and 404 without one") {
        const auto list = s.api().get("/products?source=demo.shop&limit=1");
        const auto first = *items(list).begin();
        const auto one = s.api().get("/products/" + std::to_string(integer(first, "id")));
        REQUIRE(one.status == 200);
        CHECK(text(one.json(), "external_id") == text(first, "external_id"));
        CHECK(s.api().get("/products/999999999").status == 404);
        CHECK(s.api().get("/products/abc").status == 404);
    }
}

TEST_CASE("a price that moved is seen as soon as its scrape has ended", "[e2e]") {
    auto& s = shared();
    s.wait_for_job(s.start_scrape());
    const auto before = s.api().get("/products?source=demo.shop&limit=100&sort=first_seen");
    s.api().get("/products?source=demo.shop&limit=100&sort=first_seen"); // surely cached now
    REQUIRE(s.shop().post("/_control/tick", "{}").status < 300);
    const auto job = s.wait_for_job(s.start_scrape());
    INFO(job.body);
    REQUIRE(text(job.json(), "state") == "completed");
    const auto changed = integer(job.json()["result"], "products_changed");
    CHECK(changed > 0);
    CHECK(changed < 250);
    const auto stale = [&] {
        return s.api().get("/products?source=demo.shop&limit=100&sort=first_seen").body == before.body;
    };
    CHECK(testing::poll_until([&] { return !stale(); }, std::chrono::seconds{2}));
}

TEST_CASE("the events of a job are streamed and can be resumed", "[e2e]") {
    auto& s = shared();
    const auto id = s.start_scrape();
    const auto stream = s.api().get("/scraping/jobs/" + id + "/events"); // ends with the job
    REQUIRE(stream.status == 200);
    CHECK(stream.header("content-type").starts_with("text/event-stream"));
    CHECK(stream.body.find("event: state") != std::string::npos);

    // Resuming from the beginning of the stream replays everything that was kept for this job, in order.
    s.wait_for_job(id);
    const auto replay = s.api().get("/scraping/jobs/" + id + "/events", {"Last-Event-ID: 0-1"});
    REQUIRE(replay.status == 200);
    std::size_t at = 0;
    for (const char* event :
         {"event: added", "event: waiting", "event: active", "event: progress", "event: completed"}) {
        const auto found = replay.body.find(event, at);
        INFO(event);
        REQUIRE(found != std::string::npos);
        at = found;
    }
    CHECK(replay.body.find("event: state") == std::string::npos);
    CHECK(s.api().get("/scraping/jobs/no-such-job/events").status == 404);
}

TEST_CASE("the queue's events are followed only while somebody watches a job", "[e2e]") {
    auto& s = shared();
    for (int round = 0; round < 2; ++round) {
        const auto id = s.start_scrape();
        const auto stream = s.api().get("/scraping/jobs/" + id + "/events"); // ends with the job
        REQUIRE(stream.status == 200);
        // A job that ended before the stream began is told by its state alone.
        CHECK(stream.body.find("completed") != std::string::npos);
        const bool let_go = testing::poll_until(
            [&] { return s.queue_redis().command({"CLIENT", "LIST"}).find(":qe ") == std::string::npos; },
            std::chrono::seconds{10});
        CHECK(let_go);
    }
}

TEST_CASE("the queue's keys are those of BullMQ", "[e2e]") {
    auto& s = shared();
    const auto id = s.start_scrape();
    s.wait_for_job(id);
    auto& redis = s.queue_redis();
    CHECK(redis.command({"HGET", "bull:scraping:" + id, "name"}) == "scrape_products");
    CHECK(redis.command({"TYPE", "bull:scraping:completed"}) == "zset");
    CHECK(redis.command({"ZSCORE", "bull:scraping:completed", id}) != "(nil)");
    CHECK(redis.command({"TYPE", "bull:scraping:events"}) == "stream");
    CHECK(redis.command({"HGET", "bull:scraping:" + id, "priority"}) == "5");
    CHECK(redis.command({"HEXISTS", "bull:scraping:meta", "version"}) == "1");
    CHECK(redis.command({"EXISTS", "bull:scraping:" + id + ":lock"}) == "0");
}
