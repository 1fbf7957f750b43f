#include "queue_fixture.hpp"

#include <tiktrend/queue/flow_producer.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::flow_job;
using queue::flow_node;
using queue::flow_producer;
using queue::job_options;
using queue::parent_options;

/// Flows of parents in the queue "up" and children in "q", with a clock at 1000000 ms.
class flow_fixture : public queue_fixture {
public:
    manual_clock clock{1'000'000};
    queue::flow_options options;

    void with(std::function<task<void>(flow_producer&)> work) { run_coroutine(body(work)); }
    flow_job add(flow_node root, queue::queue_defaults defaults = {}) {
        flow_job out;
        with([&](flow_producer& p) { return add_into(p, root, defaults, out); });
        return out;
    }
    std::string refusal(flow_node root) {
        std::string out = "added";
        with([&](flow_producer& p) { return refusal_into(p, root, out); });
        return out;
    }
    static job_options id(std::string text) {
        job_options o;
        o.id = std::move(text);
        return o;
    }
    static flow_node child(std::string name) { return {"child", "q", "1", id(std::move(name))}; }
    static flow_node parent(std::vector<flow_node> children, std::string name = "p") {
        return {"up", "up", "1", id(std::move(name)), std::move(children)};
    }
    std::string up(strings words) const {
        words.at(1) = "bull:up:" + words.at(1);
        return redis(std::move(words));
    }
    std::set<std::string> pending(const std::string& parent = "p") const {
        const auto all = lines(redis({"SMEMBERS", "bull:up:" + parent + ":dependencies"}));
        return {all.begin(), all.end()};
    }
    std::string everything() const { return redis({"KEYS", "*"}); }

private:
    static task<void> add_into(flow_producer& p, const flow_node& root, const queue::queue_defaults& defaults,
                               flow_job& out) {
        out = co_await p.add(root, defaults);
    }
    static task<void> refusal_into(flow_producer& p, const flow_node& root, std::string& out) {
        try {
            co_await p.add(root);
        } catch (const system_error& e) {
            out = e.what();
        }
    }
    task<void> body(std::function<task<void>(flow_producer&)>& work) {
        redis::client client{co_await asio::this_coro::executor, address()};
        client.start();
        co_await client.wait_connected(5s);
        std::exception_ptr error;
        {
            options.clock = &clock;
            flow_producer producer{client, options};
            try {
                co_await work(producer);
            } catch (...) {
                error = std::current_exception();
            }
        }
        co_await client.stop();
        if (error) std::rethrow_exception(error);
    }
};

using keys = std::set<std::string>;

TEST_CASE("a flow's parent waits for its children in another queue", "[integration][queue][flow]") {
    flow_fixture f;
    auto fail = f.child("c0");
    fail.options.fail_parent_on_failure = true;
    const auto added = f.add(f.parent({fail, f.child("c1"), {"child", "q"}}));
    REQUIRE(added.children.size() == 3);
    CHECK(added.key() == "bull:up:p");
    const auto uuid = added.children[2].id;
    CHECK(uuid.size() == 36);
    CHECK(f.up({"ZSCORE", "waiting-children", "p"}) == "1000000");
    CHECK(f.pending() == keys{"bull:q:c0", "bull:q:c1", "bull:q:" + uuid});
    CHECK(f.list("wait") == strings{uuid, "c1", "c0"});
    CHECK(f.hash("c0") ==
          dump{{"name", "child"},
               {"data", "1"},
               {"opts", R"({"attempts":0,"jobId":"c0","fpof":true,"parent":{"id":"p","queue":"bull:up"}})"},
               {"timestamp", "1000000"},
               {"delay", "0"},
               {"priority", "0"},
               {"parentKey", "bull:up:p"},
               {"parent", R"({"id":"p","queueKey":"bull:up","fpof":true})"}});
    CHECK(f.field(uuid, "opts").find("jobId") == std::string::npos);
    CHECK(f.redis({"GET", f.key("id")}) == "3");
    CHECK(f.events() == strings{"added c0 name=child", "waiting c0", "added c1 name=child", "waiting c1",
                                "added " + uuid + " name=child", "waiting " + uuid});
    CHECK(f.redis({"XRANGE", "bull:up:events", "-", "+"}).find("waiting-children") != std::string::npos);
}

TEST_CASE("deep flows are added level by level and read back", "[integration][queue][flow]") {
    flow_fixture f;
    auto middle = f.parent({f.child("leaf-1"), f.child("leaf-2")}, "middle");
    f.add(f.parent({middle, f.child("c")}));
    CHECK(f.pending() == keys{"bull:up:middle", "bull:q:c"});
    CHECK(f.pending("middle") == keys{"bull:q:leaf-1", "bull:q:leaf-2"});
    CHECK(f.list("wait") == strings{"leaf-2", "leaf-1", "c"});
    f.fetch("T", 1);
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "c", "T", "7", "", "", "", "", "0", ""}}));
    f.with([](flow_producer& p) -> task<void> {
        const auto tree = co_await p.get_flow("up", "p");
        REQUIRE(tree);
        CHECK(tree->state == queue::job_state::waiting_children);
        REQUIRE(tree->children.size() == 2);
        CHECK(tree->children[0].job.id == "c"); // processed first
        CHECK(tree->children[0].state == queue::job_state::completed);
        CHECK(tree->children[0].queue == "bull:q");
        CHECK(tree->children[1].job.id == "middle");
        CHECK(tree->children[1].children.size() == 2);
        queue::get_flow_options o;
        o.depth = 2;
        o.max_children = 1;
        const auto part = co_await p.get_flow("up", "p", o);
        REQUIRE(part->children.size() == 2); // one processed, one not
        CHECK(part->children[1].children.empty());
        o.depth = 10;
        o.max_nodes = 2;
        CHECK((co_await p.get_flow("up", "p", o))->children.size() == 1);
        CHECK_FALSE(co_await p.get_flow("up", "none"));
    });
    f.redis({"DEL", "bull:q:c"});
    f.with([](flow_producer& p) -> task<void> {
        CHECK((co_await p.get_flow("up", "p"))->children.size() == 1);
    });
}

TEST_CASE("prefixes, default options and an existing parent are obeyed", "[integration][queue][flow]") {
    flow_fixture f;
    f.redis({"HSET", "bull:top:t", "name", "top"});
    auto child = f.child("c");
    child.prefix = "other";
    auto root = f.parent({child});
    root.options.parent = parent_options{"t", "bull:top"};
    job_options retries;
    retries.attempts = 4;
    f.add(root, {{"q", retries}});
    CHECK(f.redis({"SMEMBERS", "bull:top:t:dependencies"}) == "bull:up:p");
    CHECK(f.redis({"LRANGE", "other:q:wait", "0", "-1"}) == "c");
    CHECK(f.pending() == keys{"other:q:c"});
    CHECK(f.redis({"HGET", "other:q:c", "opts"}).find("\"attempts\":4") != std::string::npos);
    CHECK(f.up({"HGET", "p", "opts"}).find("\"attempts\":0") != std::string::npos);
}

TEST_CASE("children that have completed before do not hold their parent up", "[integration][queue][flow]") {
    flow_fixture f;
    f.add(f.child("done"));
    f.fetch("T", 1);
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "done", "T", "7", "", "", "", "", "0", ""}}));
    SECTION("the only child: it runs") {
        auto root = f.parent({f.child("done")});
        root.options.priority = 3;
        f.add(root);
        CHECK(f.up({"ZSCORE", "prioritized", "p"}) == "12884901889");
        CHECK(f.up({"HGET", "p:processed", "bull:q:done"}) == "7");
        CHECK(f.up({"EXISTS", "waiting-children"}) == "0");
    }
    SECTION("with another: it waits for that one") {
        f.add(f.parent({f.child("done"), f.child("c")}));
        CHECK(f.up({"ZSCORE", "waiting-children", "p"}) == "1000000");
        CHECK(f.pending() == keys{"bull:q:c"});
    }
}

TEST_CASE("a flow that cannot be whole is not added at all", "[integration][queue][flow]") {
    flow_fixture f;
    f.add(f.parent({f.child("taken")}));
    const auto before = f.everything();
    const auto counter = f.redis({"GET", f.key("id")});
    const auto has = [](const std::string& text, const std::string& part) {
        INFO(text);
        return text.find(part) != std::string::npos;
    };
    auto refused = f.refusal(f.parent({f.child("new"), f.child("taken")}, "second"));
    CHECK(has(refused, "children[1], job bull:q:taken"));
    CHECK(has(refused, "already has another parent"));
    auto orphan = f.child("orphan");
    orphan.options.parent = parent_options{"none", "bull:up"};
    CHECK(has(f.refusal(orphan), "there is no such parent job"));

    auto deduplicated = f.parent({f.child("x")}, "d");
    deduplicated.options.deduplication.emplace().id = "dd";
    CHECK(has(f.refusal(deduplicated), "root.deduplication = \"dd\": expected none for a job with children"));
    auto inner = f.child("x");
    inner.options.deduplication.emplace().id = "dd";
    CHECK(has(f.refusal(f.parent({inner}, "d")),
              "children[0].parent = \"bull:up:d\": expected no parent for a job with a deduplication"));
    auto lost = f.child("x");
    lost.options.parent = parent_options{"p", "bull:up"};
    CHECK(has(f.refusal(f.parent({lost}, "d")),
              "children[0].parent = \"bull:up:p\": expected none: it is the job above"));
    CHECK(has(f.refusal(f.parent({f.child("x"), f.child("x")}, "d")),
              "children[1].id = bull:q:x: expected a job that is there once"));
    CHECK(has(f.refusal(f.parent({f.parent({{"n", "a:b"}}, "e")}, "d")),
              "children[0].children[0].queue_name = \"a:b\""));
    CHECK(
        has(f.refusal(f.parent({{"n", "q", "{"}}, "d")), "children[0].data = \"{\": expected one JSON text"));
    auto strange = f.child("x");
    strange.options.priority = -2;
    CHECK(has(f.refusal(f.parent({strange}, "d")), "children[0].priority = -2: expected"));
    f.options.max_nodes = 2;
    CHECK(has(f.refusal(f.parent({f.child("x"), f.child("y")}, "d")), "at most 2 jobs in all"));

    CHECK(f.everything() == before);
    CHECK(f.redis({"GET", f.key("id")}) == counter);
}

TEST_CASE("several flows are added together or not at all", "[integration][queue][flow]") {
    flow_fixture f;
    f.with([](flow_producer& p) -> task<void> {
        using f = flow_fixture;
        std::vector<flow_node> two{f::parent({f::child("a")}, "p1"), f::parent({f::child("b")}, "p2")};
        const auto added = co_await p.add_bulk(two);
        CHECK(added.at(1).children.at(0).key() == "bull:q:b");
        std::vector<flow_node> bad{f::parent({f::child("c")}, "p3"), f::parent({f::child("b")}, "p4")};
        try {
            co_await p.add_bulk(bad);
            FAIL("added");
        } catch (const system_error& e) {
            CHECK(e.code() == queue::errc::parent_cannot_be_replaced);
            CHECK(std::string{e.what()}.find("root[1].children[0]") != std::string::npos);
        }
        CHECK((co_await p.add_bulk({})).empty());
    });
    CHECK(f.pending("p1") == keys{"bull:q:a"});
    CHECK_FALSE(f.exists("c"));
    CHECK(f.up({"EXISTS", "p3"}) == "0");
}

TEST_CASE("a flow may have as many jobs as a call takes, wherever they wait", "[integration][queue][flow]") {
    flow_fixture f;
    job_options o;
    std::string place = "wait";
    SECTION("in order") {}
    SECTION("lifo") {
        o.lifo = true;
    }
    SECTION("prioritized") {
        o.priority = 7;
        place = "prioritized";
    }
    std::vector<flow_node> children(9'999, flow_node{"child", "q", "1", o});
    f.add(f.parent(std::move(children)));
    CHECK(f.up({"SCARD", "p:dependencies"}) == "9999");
    CHECK(f.redis({place == "wait" ? "LLEN" : "ZCARD", f.key(place)}) == "9999");
}

TEST_CASE("a flow whose group is full is not added at all", "[integration][queue][flow]") {
    flow_fixture f;
    const auto member = [](std::int64_t room) {
        job_options o;
        o.group.emplace().id = "a";
        o.group->max_size = room;
        return flow_node{"child", "q", "1", o};
    };
    SECTION("a child's, by the flow's own jobs") {
        CHECK(f.refusal(f.parent({member(2), member(2), member(2)})).find("flow, children[2]") !=
              std::string::npos);
        CHECK(f.everything().empty());
        f.add(f.parent({member(2), member(2)}));
        CHECK(f.redis({"ZCARD", f.key("group:a:wait")}) == "2");
    }
    SECTION("the parent's") {
        f.redis({"ZADD", "bull:up:group:a:wait", "1", "other"});
        auto root = f.parent({f.child("c")});
        root.options.group.emplace().id = "a";
        root.options.group->max_size = 1;
        CHECK(f.refusal(root).find("flow, root") != std::string::npos);
        CHECK_FALSE(f.exists("c"));
    }
}

} // namespace
} // namespace tiktrend::testing
