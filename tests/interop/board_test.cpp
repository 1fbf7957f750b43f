// bull-board opened on a queue that is ours: what it shows is right, and what its buttons do is obeyed by our
// worker.
#include "actor.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;
using tiktrend::testing::redis_server;

namespace {

/// A bull-board server of its own process; see node/board.mjs.
class board {
public:
    explicit board(const std::string& queue)
        : queue_{queue},
          peer_{"bull-board", [&](const std::string& fd) {
                    const std::string folder = std::getenv("TIKTREND_SOURCE_DIR");
                    return std::vector<std::string>{"node", folder + "/tests/interop/node/board.mjs", fd,
                                                    redis_server::shared().url(), queue};
                }} {}

    json::value request(std::string_view method, const std::string& path, json::value body = nullptr) {
        json::object line{{"method", method}, {"path", path}};
        if (!body.is_null()) line["body"] = std::move(body);
        peer_.send(json::serialize(line));
        const auto reply = json::parse(peer_.receive(std::chrono::seconds{30})).as_object();
        INFO(method << " " << path << ": " << json::serialize(reply));
        const auto status = reply.at("status").to_number<int>();
        REQUIRE((status >= 200 && status < 300));
        return reply.at("body");
    }
    json::value get(const std::string& path) { return request("GET", path); }
    /// A button of the queue's page.
    void press(const std::string& path, json::value body = nullptr) {
        request("PUT", "/api/queues/" + queue_ + path, std::move(body));
    }

    /// The queue as the board's list shows it, with the jobs of `status`.
    json::object page(const std::string& status, int page_number = 1, int per_page = 10) {
        const auto all = get("/api/queues?activeQueue=" + queue_ + "&status=" + status + "&page=" +
                             std::to_string(page_number) + "&jobsPerPage=" + std::to_string(per_page));
        return all.at("queues").as_array().at(0).as_object();
    }
    std::int64_t count(std::string_view status) {
        return page("latest").at("counts").as_object().at(status).to_number<std::int64_t>();
    }
    json::object job(const std::string& id) {
        return get("/api/queues/" + queue_ + "/" + id).at("job").as_object();
    }

private:
    std::string queue_;
    tiktrend::testing::line_peer peer_;
};

std::vector<std::string> ids_of(const json::object& page) {
    std::vector<std::string> ids;
    for (const auto& job : page.at("jobs").as_array())
        ids.emplace_back(job.at("id").as_string());
    return ids;
}

struct opened {
    std::string queue = fresh_queue("board");
    actor& ours = actor::shared(library::ours);
    board bull_board{(ours.call("open", {{"queue", queue}}), queue)};
};

} // namespace

TEST_CASE("bull-board shows counts and pages of our queue", "[interop][board]") {
    opened o;
    for (int i = 0; i < 12; ++i)
        add(o.ours, o.queue, {{"i", i}});
    add(o.ours, o.queue, {}, {{"priority", 3}});
    add(o.ours, o.queue, {}, {{"delay", 3'600'000}});
    CHECK(o.bull_board.count("waiting") == 12);
    CHECK(o.bull_board.count("prioritized") == 1);
    CHECK(o.bull_board.count("delayed") == 1);
    const auto first = o.bull_board.page("waiting");
    CHECK(first.at("pagination").as_object().at("pageCount").to_number<int>() == 2);
    CHECK(ids_of(first).size() == 10);
    CHECK(ids_of(o.bull_board.page("waiting", 2)).size() == 2);
    CHECK(ids_of(o.bull_board.page("delayed")) == std::vector<std::string>{"14"});
}

TEST_CASE("bull-board shows a job of ours with everything that happened to it", "[interop][board]") {
    opened o;
    const auto done = add(
        o.ours, o.queue, {{"logs", {"one", "two"}}, {"progress", {40}}, {"result", {{"n", 7}}}}, {}, "paint");
    const auto broken = add(o.ours, o.queue, {{"fail_times", 9}, {"reason", "broken"}}, {{"attempts", 2}});
    worker_of worker{o.ours, o.queue};
    REQUIRE(reaches(o.ours, o.queue, broken, "failed"));
    const auto shown = o.bull_board.job(done);
    CHECK(shown.at("name") == "paint");
    CHECK(shown.at("progress") == 40);
    CHECK(shown.at("returnValue").at("n") == 7);
    CHECK(shown.at("processedBy") == json::string{worker.name()});
    const auto logs = o.bull_board.get("/api/queues/" + o.queue + "/" + done + "/logs");
    CHECK(json::serialize(logs).find("two") != std::string::npos);
    const auto failed = o.bull_board.job(broken);
    CHECK(failed.at("failedReason") == "broken");
    CHECK(failed.at("stacktrace").as_array().size() == 2);
    CHECK(failed.at("attempts") == 2);
    const auto workers = o.bull_board.get("/api/queues/" + o.queue + "/workers");
    CHECK(json::serialize(workers).find(worker.name()) != std::string::npos);
}

TEST_CASE("a job retried in bull-board runs again with us", "[interop][board]") {
    opened o;
    const auto one = add(o.ours, o.queue, {{"fail_times", 1}, {"reason", "once"}, {"result", 1}});
    const auto other = add(o.ours, o.queue, {{"fail_times", 1}, {"reason", "once"}});
    const auto third = add(o.ours, o.queue, {{"fail_times", 1}, {"reason", "once"}});
    worker_of worker{o.ours, o.queue};
    REQUIRE(reaches(o.ours, o.queue, third, "failed"));
    o.bull_board.press("/" + one + "/retry");
    CHECK(reaches(o.ours, o.queue, one, "completed"));
    o.bull_board.press("/retry/failed");
    CHECK(reaches(o.ours, o.queue, other, "completed"));
    CHECK(reaches(o.ours, o.queue, third, "completed"));
    CHECK(o.bull_board.count("failed") == 0);
}

TEST_CASE("delayed jobs promoted or moved in bull-board are run by us", "[interop][board]") {
    opened o;
    const json::object later{{"delay", 3'600'000}};
    const auto one = add(o.ours, o.queue, {}, later);
    const auto moved = add(o.ours, o.queue, {}, later);
    const auto others = add(o.ours, o.queue, {}, later);
    worker_of worker{o.ours, o.queue};
    o.bull_board.press("/" + one + "/promote");
    CHECK(reaches(o.ours, o.queue, one, "completed"));
    o.bull_board.request("PATCH", "/api/queues/" + o.queue + "/" + moved + "/delay",
                         json::object{{"runAt", 1}});
    CHECK(reaches(o.ours, o.queue, moved, "completed"));
    o.bull_board.press("/promote");
    CHECK(reaches(o.ours, o.queue, others, "completed"));
}

TEST_CASE("a queue paused in bull-board is paused for our worker", "[interop][board]") {
    opened o;
    o.bull_board.press("/pause");
    CHECK(o.ours.call("is_paused", {{"queue", o.queue}}) == true);
    worker_of worker{o.ours, o.queue};
    const auto id = add(o.ours, o.queue);
    CHECK(state(o.ours, o.queue, id) == "waiting");
    CHECK(o.bull_board.page("latest").at("isPaused") == true);
    o.bull_board.press("/resume");
    CHECK(reaches(o.ours, o.queue, id, "completed"));
    o.ours.call("pause", {{"queue", o.queue}});
    CHECK(o.bull_board.page("latest").at("isPaused") == true);
}

TEST_CASE("jobs cleaned in bull-board are gone with us", "[interop][board]") {
    opened o;
    const auto done = add(o.ours, o.queue);
    const auto broken = add(o.ours, o.queue, {{"fail_times", 9}, {"reason", "x"}});
    const auto kept = add(o.ours, o.queue, {{"fail_times", 9}, {"reason", "x"}});
    {
        worker_of worker{o.ours, o.queue};
        REQUIRE(reaches(o.ours, o.queue, kept, "failed"));
    }
    o.bull_board.press("/" + broken + "/clean");
    CHECK_THROWS(job(o.ours, o.queue, broken));
    // The board cleans what is older than its grace period of five seconds: nothing yet.
    o.bull_board.press("/clean/completed");
    CHECK(state(o.ours, o.queue, done) == "completed");
    redis_server::shared().command({"ZADD", "bull:" + o.queue + ":completed", "1", done});
    o.bull_board.press("/clean/completed");
    CHECK(poll_until([&] { return o.bull_board.count("completed") == 0; }));
    CHECK_THROWS(job(o.ours, o.queue, done));
    CHECK(state(o.ours, o.queue, kept) == "failed");
}

TEST_CASE("data, priority, concurrency and new jobs of bull-board reach our worker", "[interop][board]") {
    opened o;
    const auto id = add(o.ours, o.queue, {{"result", 1}});
    const auto path = "/api/queues/" + o.queue;
    o.bull_board.request("PATCH", path + "/" + id + "/update-data",
                         json::object{{"jobData", json::object{{"result", "changed"}}}});
    o.bull_board.request("PATCH", path + "/" + id + "/priority", json::object{{"priority", 5}});
    CHECK(state(o.ours, o.queue, id) == "prioritized");
    o.bull_board.press("/concurrency", json::object{{"concurrency", 1}});
    o.bull_board.request(
        "POST", path + "/add",
        json::object{{"name", "mine"}, {"data", json::object{{"result", 3}}}, {"options", json::object{}}});
    CHECK(o.bull_board.count("waiting") == 1);
    worker_of worker{o.ours, o.queue, {{"concurrency", 5}}};
    REQUIRE(reaches(o.ours, o.queue, id, "completed"));
    CHECK(job(o.ours, o.queue, id).at("result") == "changed");
    CHECK(poll_until([&] { return o.bull_board.count("completed") == 2; }));
}

TEST_CASE("bull-board empties and obliterates a queue of ours", "[interop][board]") {
    opened o;
    for (int i = 0; i < 3; ++i)
        add(o.ours, o.queue);
    o.bull_board.press("/empty");
    CHECK(o.bull_board.count("waiting") == 0);
    add(o.ours, o.queue, {}, {{"delay", 3'600'000}});
    o.bull_board.press("/pause"); // asked for by the board
    o.bull_board.press("/obliterate");
    CHECK(redis_server::shared().command({"EXISTS", "bull:" + o.queue + ":delayed"}) == "0");
}

TEST_CASE("bull-board draws the tree of a flow that we run", "[interop][board]") {
    opened o;
    auto& node = actor::shared(library::node6);
    const auto tree = node.call(
        "add_flow", {{"flow",
                      {{"name", "whole"},
                       {"queueName", o.queue},
                       {"data", {{"result", "done"}}},
                       {"children",
                        {{{"name", "part"}, {"queueName", o.queue}, {"data", {{"result", 1}}}},
                         {{"name", "part"}, {"queueName", o.queue}, {"data", {{"result", 2}}}}}}}}});
    const std::string root{tree.at("id").as_string()};
    const auto waiting = o.bull_board.get("/api/queues/" + o.queue + "/" + root + "/flow");
    INFO(json::serialize(waiting));
    CHECK(waiting.at("flowRoot").at("children").as_array().size() == 2);
    CHECK(o.bull_board.count("waiting-children") == 1);
    worker_of worker{o.ours, o.queue};
    REQUIRE(reaches(o.ours, o.queue, root, "completed"));
    const auto ended = o.bull_board.get("/api/queues/" + o.queue + "/" + root + "/flow");
    CHECK(ended.at("flowRoot").at("children").as_array().size() == 2);
}
