// Calls about jobs over two gateways: batch, list, cancel, retry, schedules.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <set>
#include <thread>

using namespace tiktrend;
using e2e::integer;
using e2e::text;

namespace {

struct two_gateways {
    e2e::stack s;
    e2e::stack::other_gateway second = s.start_other_gateway();
    e2e::http_client there{second.url, s.api_key()};

    static two_gateways& shared() {
        static two_gateways instance;
        return instance;
    }
};

std::string later(e2e::stack& s, const std::string& delay = "600000") {
    const auto order = s.scrape_body();
    return order.substr(0, order.size() - 1) + R"(,"delay":)" + delay + '}';
}

simdjson::dom::array items(const e2e::answer& a) {
    return a.json()["items"].get_array();
}

std::string state_of(const e2e::http_client& api, const std::string& id) {
    const auto r = api.get("/scraping/jobs/" + id);
    return r.status == 200 ? text(r.json(), "state") : std::to_string(r.status);
}

} // namespace

TEST_CASE("a batch adds its good items and says what is wrong with the others", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    const auto body = R"({"items":[)" + later(t.s) + R"(,{"source":"nope"},7,)" + later(t.s) + "]}";
    const auto r = t.s.api().post("/scraping/batch", body, {"Idempotency-Key: batch-1"});
    INFO(r.body);
    REQUIRE(r.status == 202);
    CHECK(integer(r.json(), "accepted") == 2);
    CHECK(integer(r.json(), "refused") == 2);
    std::vector<std::string> ids;
    std::vector<std::string> kinds;
    for (const auto item : items(r)) {
        ids.push_back(text(item, "job_id"));
        simdjson::dom::element problem;
        kinds.push_back(item["problem"].get(problem) == simdjson::SUCCESS ? text(problem, "code") : "");
    }
    CHECK(kinds == std::vector<std::string>{"", "validation_failed", "validation_failed", ""});
    CHECK(ids[1].empty());
    CHECK(state_of(t.there, ids[0]) == "delayed");
    CHECK(state_of(t.there, ids[3]) == "delayed");
    // The same batch again is the same jobs.
    CHECK(t.there.post("/scraping/batch", body, {"Idempotency-Key: batch-1"}).body == r.body);
    for (const auto& id : {ids[0], ids[3]})
        CHECK(t.there.send("DELETE", "/scraping/jobs/" + id, "", {}).status == 204);

    std::string many = R"({"items":[{})";
    for (int i = 0; i < 1000; ++i)
        many += ",{}";
    CHECK(t.s.api().post("/scraping/batch", many + "]}").status == 422);
    CHECK(t.s.api().post("/scraping/batch", R"({"items":[]})").status == 422);
}

TEST_CASE("jobs are listed by state in pages, to their owner only", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    const e2e::http_client mine{t.s.gateway_url(), t.s.make_key("scrape", "lister@example.test")};
    const e2e::http_client other{t.s.gateway_url(), t.s.make_key("scrape", "other@example.test")};
    std::set<std::string> added;
    for (int i = 0; i < 7; ++i) {
        added.insert(text(mine.post("/scraping/start", later(t.s)).json(), "job_id"));
        other.post("/scraping/start", later(t.s));
    }
    std::set<std::string> seen;
    std::string path = "/scraping/jobs?state=delayed&limit=3";
    int pages = 0;
    while (!path.empty() && ++pages < 20) {
        const auto page = mine.get(path);
        INFO(page.body);
        REQUIRE(page.status == 200);
        for (const auto job : items(page))
            CHECK(seen.insert(text(job, "job_id")).second);
        const auto cursor = text(page.json(), "next_cursor");
        CHECK(page.header("link").empty() == cursor.empty());
        path = cursor.empty() ? "" : "/scraping/jobs?state=delayed&limit=3&cursor=" + cursor;
        if (pages == 1) t.s.api().post("/scraping/start", later(t.s, "900000")); // the list moves
    }
    CHECK(seen == added);
    CHECK(items(mine.get("/scraping/jobs?limit=100")).size() == 7);
    CHECK(items(t.s.api().get("/scraping/jobs?limit=100")).size() >= 15);
    const auto cursor = text(mine.get("/scraping/jobs?limit=3").json(), "next_cursor");
    CHECK(other.get("/scraping/jobs?limit=3&cursor=" + cursor).status == 422);
    const auto first = *added.begin();
    CHECK(other.get("/scraping/jobs/" + first).status == 404);
    CHECK(other.send("DELETE", "/scraping/jobs/" + first, "", {}).status == 404);
    CHECK(other.post("/scraping/jobs/" + first + "/retry", "").status == 404);
    for (const auto& id : added)
        CHECK(mine.send("DELETE", "/scraping/jobs/" + id, "", {}).status == 204);
    CHECK(mine.get("/scraping/jobs/" + first).status == 404);
}

TEST_CASE("a running job is stopped within a second through any gateway, and can be retried", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    REQUIRE(t.s.shop()
                .post("/_control", R"({"path":"/api/products","kind":"slow","delay_ms":20000,"count":1})")
                .status < 300);
    const auto id = t.s.start_scrape();
    REQUIRE(
        testing::poll_until([&] { return state_of(t.s.api(), id) == "active"; }, std::chrono::seconds{30}));
    CHECK(t.s.api().post("/scraping/jobs/" + id + "/retry", "").status == 409);
    const auto asked = std::chrono::steady_clock::now();
    const auto r = t.there.send("DELETE", "/scraping/jobs/" + id, "", {});
    const auto took = std::chrono::steady_clock::now() - asked;
    INFO(r.body);
    REQUIRE(r.status == 200);
    CHECK(took < std::chrono::seconds{1});
    CHECK(text(r.json(), "state") == "failed");
    CHECK(text(r.json(), "failed_reason").find("cancelled by user:") != std::string::npos);
    CHECK(t.s.api().send("DELETE", "/scraping/jobs/" + id, "", {}).status == 409);
    t.s.shop().send("DELETE", "/_control", "", {});

    const auto again = t.there.post("/scraping/jobs/" + id + "/retry", "");
    INFO(again.body);
    REQUIRE(again.status == 202);
    const auto job = t.s.wait_for_job(id);
    INFO(job.body);
    CHECK(text(job.json(), "state") == "completed");
    CHECK(t.s.api().post("/scraping/jobs/" + id + "/retry", "").status == 409);
}

TEST_CASE("a schedule makes jobs until it is deleted, and belongs to its maker", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    const e2e::http_client mine{t.s.gateway_url(), t.s.make_key("scrape", "planner@example.test")};
    const e2e::http_client other{t.s.gateway_url(), t.s.make_key("scrape", "planner2@example.test")};
    const auto order = t.s.scrape_body();
    const auto with = [&](const std::string& rule) {
        return order.substr(0, order.size() - 1) + ',' + rule + '}';
    };
    // A schedule each second is 86,400 jobs a day.
    t.s.run_cli(
        {"user", "quota", "--email", "planner@example.test", "--kind", "scrapes", "--limit", "100000"});
    const auto put = [](const e2e::http_client& c, const std::string& body) {
        return c.send("PUT", "/scraping/schedules/nightly", body, {"Content-Type: application/json"});
    };
    const auto made = put(mine, with(R"("cron":"0 3 * * *","tz":"Europe/Berlin","attempts":2)"));
    INFO(made.body);
    REQUIRE(made.status == 201);
    CHECK(text(made.json(), "cron") == "0 3 * * *");
    CHECK(text(made.json(), "source") == "demo.shop");
    CHECK(put(other, with(R"("every":3600000)")).status == 201); // the same name is another schedule
    CHECK(put(mine, with(R"("every":1000)")).status == 200);
    const auto id = std::to_string(integer(mine.get("/scraping/schedules/nightly").json(), "user_id"));
    CHECK(testing::poll_until(
        [&] { return integer(mine.get("/scraping/schedules/nightly").json(), "runs") >= 2; },
        std::chrono::seconds{30}));
    CHECK(testing::poll_until([&] { return items(mine.get("/scraping/jobs?state=completed")).size() >= 1; },
                              std::chrono::seconds{60}));
    CHECK(items(mine.get("/scraping/schedules")).size() == 1);
    CHECK(items(t.s.api().get("/scraping/schedules")).size() == 2);
    CHECK(t.s.api().get("/scraping/schedules/nightly?user_id=" + id).status == 200);
    CHECK(other.get("/scraping/schedules/nightly?user_id=" + id).status == 404);
    for (const char* wrong :
         {R"("every":10)", R"("cron":"61 * * * *")", R"("cron":"* * * * *","tz":"Mars/Base")",
          R"("every":1000,"cron":"* * * * *")", R"("tz":"UTC")", R"("every":1000,"delay":5)"}) {
        const auto r = put(mine, with(wrong));
        INFO(wrong << " -> " << r.body);
        CHECK(r.status == 422);
    }
    CHECK(mine.send("DELETE", "/scraping/schedules/nightly", "", {}).status == 204);
    CHECK(mine.send("DELETE", "/scraping/schedules/nightly", "", {}).status == 404);
    CHECK(other.send("DELETE", "/scraping/schedules/nightly", "", {}).status == 204);
}

TEST_CASE("schedules may not start more on a day than the quota allows", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    const e2e::http_client mine{t.s.gateway_url(), t.s.make_key("scrape", "eager@example.test")};
    const auto put = [&](const e2e::http_client& c, const std::string& id, const std::string& rule) {
        const auto order = t.s.scrape_body();
        return c.send("PUT", "/scraping/schedules/" + id,
                      order.substr(0, order.size() - 1) + ',' + rule + '}',
                      {"Content-Type: application/json"});
    };
    const auto refused = [](const e2e::answer& r) {
        return r.status == 409 && text(r.json(), "code") == "schedules_exceed_quota";
    };
    const std::string far = R"("limit":1,)"; // one job is enough for this test
    CHECK(refused(put(mine, "a", R"("every":1000)")));
    CHECK(refused(put(mine, "a", R"("cron":"* * 1 1 *")"))); // 1,440 on New Year's Day
    CHECK(put(mine, "a", far + R"("every":120000)").status == 201);
    CHECK(refused(put(mine, "b", R"("every":120000)"))); // 720 and 720
    CHECK(put(mine, "b", far + R"("cron":"*/10 * * * *")").status == 201);
    CHECK(put(mine, "a", far + R"("every":121000)").status == 200); // its own place is not counted twice
    CHECK(put(t.s.api(), "a", R"("every":1000,"limit":1)").status == 201);
    for (const auto* id : {"a", "b"})
        CHECK(mine.send("DELETE", "/scraping/schedules/" + std::string{id}, "", {}).status == 204);
    t.s.api().send("DELETE", "/scraping/schedules/a", "", {});
}

TEST_CASE("one's own jobs are found among thousands of others without reading those", "[e2e][jobs]") {
    e2e::stack::options o;
    o.with_worker = false;
    e2e::stack s{o};
    const e2e::http_client mine{s.gateway_url(), s.make_key("scrape", "rare@example.test")};
    const auto id = text(mine.post("/scraping/start", s.scrape_body()).json(), "job_id");
    std::string body = R"({"items":[)" + s.scrape_body();
    for (int i = 1; i < 900; ++i)
        body += ',' + s.scrape_body();
    REQUIRE(s.api().post("/scraping/batch", body + "]}").status == 202);
    s.queue_redis().command({"CONFIG", "RESETSTAT"});
    const auto page = mine.get("/scraping/jobs");
    REQUIRE(page.status == 200);
    REQUIRE(items(page).size() == 1);
    CHECK(text(items(page).at(0), "job_id") == id);
    const auto stats = s.queue_redis().command({"INFO", "commandstats"});
    const auto at = stats.find("cmdstat_evalsha:calls=");
    REQUIRE(at != std::string::npos);
    CHECK(std::stoi(stats.substr(at + 22)) < 60);
}

TEST_CASE("an event stream ends with its job, also when the event of its end is lost", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    const auto id = t.s.start_scrape();
    REQUIRE(text(t.s.wait_for_job(id).json(), "state") == "completed");
    // More events than are replayed, after which the stream has nothing new to tell: their end is known from
    // the state.
    t.s.queue_redis().command(
        {"EVAL",
         "for i = 1, 1100 do redis.call('XADD', KEYS[1], '*', 'event', 'progress', 'jobId', ARGV[1], "
         "'data', '1') end return 1",
         "1", "bull:scraping:events", id});
    const auto end = t.s.queue_redis().command(
        {"EVAL", "return redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1101)[1101][1]", "1",
         "bull:scraping:events"});
    const auto r = t.s.api().get("/scraping/jobs/" + id + "/events", {"Last-Event-ID: " + end});
    CHECK(r.status == 200);
    const auto state = r.body.find("event: state");
    REQUIRE(state != std::string::npos);
    CHECK(r.body.find(R"("state":"completed")", state) != std::string::npos);
}

TEST_CASE("an event stream ends with the key that asked for it", "[e2e][jobs]") {
    auto& t = two_gateways::shared();
    const auto key = t.s.make_key("scrape", "watcher@example.test");
    const e2e::http_client watcher{t.s.gateway_url(), key};
    const auto id = text(watcher.post("/scraping/start", later(t.s)).json(), "job_id");
    e2e::answer seen;
    std::jthread stream{[&] { seen = watcher.get("/scraping/jobs/" + id + "/events"); }};
    // The gateway follows the queue's events while somebody watches.
    REQUIRE(testing::poll_until(
        [&] { return t.s.queue_redis().command({"CLIENT", "LIST"}).find(":qe ") != std::string::npos; }));
    CHECK(t.s.api().send("DELETE", "/api-keys/" + key.substr(4, 8), "", {}).status == 204);
    stream.join();
    CHECK(seen.status == 200);
    CHECK(seen.body.find("event: state") != std::string::npos);
    t.s.api().send("DELETE", "/scraping/jobs/" + id, "", {});
}

TEST_CASE("sources are told with the schema of their filters", "[e2e]") {
    auto& t = two_gateways::shared();
    const auto list = t.s.api().get("/sources");
    REQUIRE(list.status == 200);
    CHECK(list.body.find(R"("id":"demo.shop")") != std::string::npos);
    const auto one = t.s.api().get("/sources/demo.shop");
    REQUIRE(one.status == 200);
    CHECK(text(one.json()["filters"], "type") == "object");
    CHECK(t.s.api().get("/sources/demo.shop", {"If-None-Match: " + one.header("etag")}).status == 304);
    CHECK(t.s.api().get("/sources/nope").status == 404);
}

TEST_CASE("queues are counted, paused, resumed, cleaned, retried and promoted", "[e2e][queues]") {
    auto& t = two_gateways::shared();
    const auto& api = t.s.api();
    const e2e::http_client reader{t.s.gateway_url(), t.s.make_key("read", "reader@example.test")};
    const e2e::http_client watcher{t.s.gateway_url(), t.s.make_key("metrics", "watcher@example.test")};
    const auto count = [&](const char* state) {
        return integer(t.there.get("/queues/scraping").json()["counts"], state);
    };
    CHECK(reader.get("/queues").status == 403);
    CHECK(reader.get("/queues/scraping").status == 403);
    const auto one = watcher.get("/queues/scraping");
    REQUIRE(one.status == 200);
    CHECK(one.json()["workers"].get_array().size() >= 1);
    CHECK(watcher.get("/queues").status == 200);
    CHECK(watcher.post("/queues/scraping/pause", "").status == 403);
    CHECK(api.get("/queues/nope").status == 404);

    CHECK(api.post("/queues/scraping/pause", "").status == 200);
    const auto id = t.s.start_scrape();
    const auto waiting = t.there.get("/queues/scraping");
    CHECK(waiting.body.find(R"("paused":true)") != std::string::npos);
    CHECK(count("prioritized") == 1);
    CHECK(t.there.post("/queues/scraping/resume", "").status == 200);
    CHECK(text(t.s.wait_for_job(id).json(), "state") == "completed");

    const auto delayed = text(api.post("/scraping/start", later(t.s)).json(), "job_id");
    CHECK(count("delayed") >= 1);
    CHECK(integer(api.post("/queues/scraping/promote", "").json(), "moved") >= 1);
    CHECK(text(t.s.wait_for_job(delayed).json(), "state") == "completed");
    CHECK(integer(api.post("/queues/scraping/retry-failed", "").json(), "moved") >= 0);
    CHECK(integer(api.post("/queues/scraping/clean", R"({"state":"completed","limit":1})").json(),
                  "removed") == 1);
    CHECK(api.post("/queues/scraping/clean", R"({"state":"active"})").status == 422);
}

TEST_CASE("the depth for scalers is a number, or 503 while Redis is away", "[e2e][queues]") {
    e2e::stack s{[] {
        e2e::stack::options o;
        o.with_worker = false;
        return o;
    }()};
    const e2e::http_client scaler{s.gateway_url(), s.make_key("metrics", "scaler@example.test")};
    s.start_scrape();
    s.start_scrape();
    const auto r = scaler.get("/autoscaling/queue-depth?queue=scraping");
    REQUIRE(r.status == 200);
    CHECK(integer(r.json(), "depth") == 2);
    CHECK(scaler.get("/autoscaling/queue-depth?queue=other").status == 404);
    s.queue_redis().stop();
    const auto gone = scaler.get("/autoscaling/queue-depth?queue=scraping");
    CHECK(gone.status == 503);
    CHECK_FALSE(gone.header("retry-after").empty());
}

TEST_CASE("a job whose worker was lost while it was cancelled does not begin again", "[e2e][jobs]") {
    e2e::stack::options o;
    o.worker = {{"LOCK_DURATION", "10s"}, {"STALLED_INTERVAL", "1s"}};
    e2e::stack s{o};
    REQUIRE(s.shop()
                .post("/_control", R"({"path":"/api/products","kind":"slow","delay_ms":60000,"count":1})")
                .status < 300);
    const auto id = s.start_scrape();
    REQUIRE(testing::poll_until([&] { return state_of(s.api(), id) == "active"; }, std::chrono::seconds{30}));
    s.worker().signal(SIGSTOP); // it hears nothing any more
    CHECK(s.api().send("DELETE", "/scraping/jobs/" + id, "", {}).status == 202);
    s.worker().signal(SIGKILL);
    const auto second = s.start_worker();
    const auto job = s.wait_for_job(id);
    CHECK(text(job.json(), "state") == "failed");
    CHECK(text(job.json(), "failed_reason").find("cancelled by user:") == 0);
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM products") == "0");
    // It was not for ever.
    CHECK(testing::poll_until(
        [&] { return s.queue_redis().command({"EXISTS", "cancelled:bull:scraping:" + id}) == "0"; },
        std::chrono::seconds{10}));
    s.shop().send("DELETE", "/_control", "", {});
    CHECK(s.api().post("/scraping/jobs/" + id + "/retry", "").status == 202);
    CHECK(text(s.wait_for_job(id).json(), "state") == "completed");
}
