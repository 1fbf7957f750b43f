// What an accepted job survives: the loss of the queue's Redis, with two gateways that relay at once.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace tiktrend;
using e2e::text;
using namespace std::chrono_literals;

namespace {

e2e::stack::options with_outbox() {
    e2e::stack::options o;
    o.with_worker = false;
    o.gateway = {
        {"ENQUEUE_DURABILITY", "outbox"}, {"OUTBOX_RELAY_INTERVAL", "100ms"}, {"OUTBOX_RECHECK", "500ms"}};
    return o;
}

std::string waiting(e2e::stack& s) {
    return s.queue_redis().command({"ZCARD", "bull:scraping:prioritized"});
}

std::string rows(e2e::stack& s) {
    return s.database().execute("e2e", "SELECT count(*) FROM job_outbox");
}

/// The same number for a while: nothing more is added.
bool stays(e2e::stack& s, const std::string& count) {
    return !testing::poll_until([&] { return waiting(s) != count; }, 1500ms);
}

} // namespace

TEST_CASE("a job in the outbox is in the queue when it is answered, and leaves the outbox at its end",
          "[e2e][outbox]") {
    auto o = with_outbox();
    o.with_worker = true;
    e2e::stack s{o};
    const auto id = s.start_scrape();
    CHECK(s.api().get("/scraping/jobs/" + id).status == 200);
    CHECK(text(s.wait_for_job(id).json(), "state") == "completed");
    CHECK(testing::poll_until([&] { return rows(s) == "0"; }, 30s));
    const auto batch =
        s.api().post("/scraping/batch", R"({"items":[)" + s.scrape_body() + ',' + s.scrape_body() + "]}");
    CHECK(batch.status == 202);
    CHECK(batch.body.find(R"("accepted":2)") != std::string::npos);
    CHECK(testing::poll_until([&] { return rows(s) == "0"; }, 60s));
}

TEST_CASE("jobs are accepted while the queue's Redis is away, and are added once it is back",
          "[e2e][outbox]") {
    e2e::stack s{with_outbox()};
    const auto second = s.start_other_gateway();
    s.queue_redis().stop();
    constexpr int clients = 4, each = 5;
    std::atomic<int> accepted = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < clients; ++i)
            threads.emplace_back([&, i] {
                const e2e::http_client c{i % 2 ? second.url : s.gateway_url(), s.api_key()};
                for (int n = 0; n < each; ++n)
                    if (c.post("/scraping/start", s.scrape_body()).status == 202) ++accepted;
            });
    }
    CHECK(accepted == clients * each);
    CHECK(rows(s) == std::to_string(clients * each));
    s.queue_redis().start();
    const auto all = std::to_string(clients * each);
    CHECK(testing::poll_until([&] { return waiting(s) == all; }, 60s));
    CHECK(stays(s, all));
}

TEST_CASE("jobs that the queue's Redis lost are added again, each once", "[e2e][outbox]") {
    e2e::stack s{with_outbox()};
    const auto second = s.start_other_gateway();
    const e2e::http_client there{second.url, s.api_key()};
    std::vector<std::string> ids;
    for (int i = 0; i < 10; ++i) {
        const auto r = (i % 2 ? there : s.api()).post("/scraping/start", s.scrape_body());
        REQUIRE(r.status == 202);
        ids.push_back(text(r.json(), "job_id"));
    }
    CHECK(waiting(s) == "10");
    CHECK(s.api().send("DELETE", "/scraping/jobs/" + ids[3], {}, {}).status == 204);
    CHECK(rows(s) == "9");
    s.queue_redis().kill(); // without persistence: everything is gone
    s.queue_redis().start();
    CHECK(testing::poll_until([&] { return waiting(s) == "9"; }, 60s));
    CHECK(stays(s, "9")); // the one that was cancelled does not come back, and none comes twice
    for (std::size_t i = 0; i < ids.size(); ++i)
        CHECK(s.queue_redis().command({"EXISTS", "bull:scraping:" + ids[i]}) == (i == 3 ? "0" : "1"));
    const auto lost = [](const e2e::http_client& metrics) {
        const auto all = metrics.get("/metrics").body;
        const auto at = all.find("\noutbox_lost_jobs_total ");
        return at == std::string::npos ? 0.0 : std::stod(all.substr(at + 24));
    };
    CHECK(lost(s.metrics()) + lost(e2e::http_client{second.metrics_url}) == 9);
}

TEST_CASE("what an administrator cleans away does not come back", "[e2e][outbox]") {
    e2e::stack s{with_outbox()};
    for (int i = 0; i < 5; ++i)
        s.start_scrape();
    CHECK(waiting(s) == "5");
    const auto r = s.api().post("/queues/scraping/clean", R"({"state":"prioritized"})");
    CHECK(r.body == R"({"removed":5})");
    CHECK(rows(s) == "0");
    CHECK(stays(s, "0"));
}

TEST_CASE("a job that has failed for good is not added again when the queue has forgotten it",
          "[e2e][outbox]") {
    e2e::stack s{with_outbox()};
    const auto order = s.scrape_body();
    const auto id =
        text(s.api().post("/scraping/start", order.substr(0, order.size() - 1) + R"(,"attempts":2})").json(),
             "job_id");
    const auto run = [&](int attempt) {
        s.database().execute(
            "e2e", "INSERT INTO scrape_runs (job_id, job_timestamp_ms, attempt, source, status) VALUES ('" +
                       id + "', 1, " + std::to_string(attempt) + ", 'demo.shop', 'failed')");
    };
    const auto trim = [&] {
        s.queue_redis().command({"ZREM", "bull:scraping:prioritized", id});
        s.queue_redis().command({"DEL", "bull:scraping:" + id});
    };
    run(1); // one attempt is left, so a job that vanished was lost
    trim();
    CHECK(testing::poll_until([&] { return waiting(s) == "1"; }, 30s));
    run(2);
    trim();
    CHECK(testing::poll_until([&] { return rows(s) == "0"; }, 30s));
    CHECK(waiting(s) == "0");
}

TEST_CASE("a job that succeeded and was forgotten by the queue is not added again", "[e2e][outbox]") {
    e2e::stack s{with_outbox()};
    const auto id = s.start_scrape();
    s.database().execute(
        "e2e", "INSERT INTO scrape_runs (job_id, job_timestamp_ms, attempt, source, status) VALUES ('" + id +
                   "', 1, 1, 'demo.shop', 'succeeded')");
    s.queue_redis().command({"ZREM", "bull:scraping:prioritized", id});
    s.queue_redis().command({"DEL", "bull:scraping:" + id});
    CHECK(testing::poll_until([&] { return rows(s) == "0"; }, 30s));
    CHECK(stays(s, "0"));
}

TEST_CASE("a job that the queue refuses leaves the outbox, and an operator can see it", "[e2e][outbox]") {
    e2e::stack s{with_outbox()};
    s.database().execute(
        "e2e", "INSERT INTO job_outbox (queue, job_id, name, data, options, due_at) VALUES "
               "('bull:scraping', 'odd', 'scrape_products', '{}', '{\"v\":1,\"priority\":9999999}', now())");
    CHECK(testing::poll_until([&] { return rows(s) == "0"; }, 30s));
    CHECK(waiting(s) == "0");
    CHECK(s.metrics().get("/metrics").body.find("\noutbox_refused_jobs_total 1\n") != std::string::npos);
    s.start_scrape(); // the others go on
    CHECK(waiting(s) == "1");
}

TEST_CASE("a job counts as accepted when a replica has it", "[e2e][replicated]") {
    e2e::stack::options o;
    o.with_worker = false;
    o.gateway = {{"ENQUEUE_DURABILITY", "replicated"}, {"ENQUEUE_REPLICA_TIMEOUT", "300ms"}};
    e2e::stack s{o};
    const auto alone = s.api().post("/scraping/start", s.scrape_body());
    CHECK(alone.status == 503);
    CHECK(text(alone.json(), "code") == "not_replicated");
    CHECK_FALSE(alone.header("retry-after").empty());
    CHECK(waiting(s) == "1"); // added, not confirmed: the answer says so

    testing::redis_server::options r;
    r.arguments = {"--replicaof", "127.0.0.1 " + std::to_string(s.queue_redis().port())};
    testing::redis_server replica{r};
    CHECK(testing::poll_until([&] { return s.api().post("/scraping/start", s.scrape_body()).status == 202; },
                              60s));
    const auto id = s.start_scrape();
    CHECK(replica.command({"EXISTS", "bull:scraping:" + id}) == "1");
    {
        std::atomic<int> accepted = 0;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 5; ++n)
                    if (s.api().post("/scraping/start", s.scrape_body()).status == 202) ++accepted;
            });
        threads.clear();
        CHECK(accepted == 40);
    }
    replica.kill();
    CHECK(testing::poll_until([&] { return s.api().post("/scraping/start", s.scrape_body()).status == 503; },
                              60s));
}

TEST_CASE("new jobs are refused while too many wait, and nothing is charged", "[e2e][admission]") {
    e2e::stack::options o;
    o.with_worker = false;
    o.gateway = {{"ENQUEUE_MAX_BACKLOG", "3"}, {"GATEWAY_THREADS", "1"}};
    e2e::stack s{o};
    e2e::answer r;
    CHECK(testing::poll_until(
        [&] { return (r = s.api().post("/scraping/start", s.scrape_body())).status != 202; }, 30s));
    CHECK(r.status == 503);
    CHECK(text(r.json(), "code") == "queue_full");
    CHECK(r.header("retry-after") == "10");
    const auto count = std::stoi(waiting(s));
    CHECK(count >= 3);
    CHECK(s.api().post("/scraping/batch", R"({"items":[)" + s.scrape_body() + "]}").status == 503);
    CHECK(s.metrics().get("/metrics").body.find("\nenqueue_refusals_total 2\n") != std::string::npos);
    CHECK(testing::poll_until([&] {
        return s.database().execute("e2e", "SELECT used FROM usage WHERE kind = 'scrapes'") ==
               std::to_string(count);
    }));
}
