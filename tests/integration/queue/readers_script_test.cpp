#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("counts and states follow a job through its life", "[integration][queue][script]") {
    queue_fixture f;
    const auto state = [&](const std::string& id) { return f.script("get_state", {id}); };
    CHECK(f.script("counts", {}) == "0\n0\n0\n0\n0\n0\n0");
    f.add("w");
    f.add("p", "4");
    f.add("d", "0", "60000");
    f.add("a", "0", "0", 1'000'000, "R");
    f.fetch("T", 1);
    f.redis({"ZADD", f.key("completed"), "1", "c"});
    f.redis({"ZADD", f.key("failed"), "1", "x", "2", "y"});
    f.redis({"ZADD", f.key("waiting-children"), "1", "k"});
    f.redis({"LPUSH", f.key("paused"), "v5"});
    f.redis({"RPUSH", f.key("wait"), "0:0"}); // a marker of a very old client
    CHECK(f.script("counts", {}) == "2\n1\n1\n2\n1\n1\n1");
    CHECK(state("w") == "waiting");
    CHECK(state("p") == "prioritized");
    CHECK(state("d") == "delayed");
    CHECK(state("a") == "active");
    CHECK(state("c") == "completed");
    CHECK(state("x") == "failed");
    CHECK(state("k") == "waiting-children");
    CHECK(state("v5") == "waiting");
    CHECK(state("nobody") == "unknown");
    CHECK(f.script("get_job", {"nobody"}) == "unknown\n");
    CHECK(f.script("get_job", {"w"}).starts_with("waiting\nname\npaint\n"));
}

TEST_CASE("the depth counts what needs a slot now", "[integration][queue][script]") {
    queue_fixture f;
    const auto depth = [&] { return lines(f.script("depth", {})); };
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    CHECK(depth()[0] == "0");
    CHECK(depth()[3] == "0");
    f.add("a", "0", "0", now);
    f.fetch("T", 1);
    f.add("w", "0", "0", now - 5000);
    f.add("p", "4", "0", now);
    f.add("due", "0", "1000", now - 2000);
    f.add("later", "0", "600000", now);
    f.redis({"LPUSH", f.key("paused"), "v5"});
    const auto before = f.keys();
    CHECK(depth()[0] == "4"); // w, v5, p, due
    CHECK(depth()[1] == "5");
    CHECK(depth()[2] == "0");
    CHECK(f.keys() == before);
    f.redis({"DEL", f.key("paused")});
    CHECK(std::stoi(depth()[3]) >= 5000);
    CHECK(std::stoi(depth()[3]) < 60'000);

    f.redis({"HSET", f.key("meta"), "concurrency", "2"});
    CHECK(depth()[0] == "3");
    CHECK(depth()[1] == "2"); // one runs, one more is let in
    f.redis({"HSET", f.key("meta"), "paused", "1"});
    CHECK(depth()[0] == "3");
    CHECK(depth()[1] == "1");
    CHECK(depth()[2] == "1");
}

TEST_CASE("waiting ids are listed over both lists in the order in which they run",
          "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.redis({"LPUSH", f.key("paused"), "y", "z"}); // y is next of all after a resume
    CHECK(lines(f.script("list_ids", {"0", "-1", "1"})) == strings{"y", "z", "a", "b", "c"});
    CHECK(lines(f.script("list_ids", {"0", "-1", "0"})) == strings{"c", "b", "a", "z", "y"});
    CHECK(lines(f.script("list_ids", {"1", "2", "1"})) == strings{"z", "a"});
    CHECK(lines(f.script("list_ids", {"3", "9", "1"})) == strings{"b", "c"});
    CHECK(lines(f.script("list_ids", {"0", "0", "0"})) == strings{"c"});
    CHECK(f.script("list_ids", {"7", "9", "1"}) == "");
}

TEST_CASE("waiting jobs are counted per priority", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* priority : {"0", "0", "4", "4", "5", "2097151"})
        f.add("", priority);
    f.redis({"LPUSH", f.key("paused"), "v5"});
    f.redis({"RPUSH", f.key("wait"), "0:0"});
    CHECK(f.script("counts_per_priority", {"0", "4", "5", "6", "2097151"}) == "3\n2\n1\n0\n1");
}

TEST_CASE("a page of jobs skips ids without a job and is filled with what follows",
          "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 6; ++i)
        f.redis({"ZADD", f.key("completed"), std::to_string(i), "c" + std::to_string(i)});
    for (const char* id : {"c1", "c3", "c4", "c5"})
        f.redis({"HSET", f.key(id), "name", id});
    const auto page = [&](const char* first, const char* wanted, const char* ascending) {
        strings ids;
        const auto all = lines(f.script("list_jobs", {"completed", first, wanted, ascending}));
        ids.push_back(all.at(0));
        for (std::size_t i = 1; i < all.size(); i += 3)
            ids.push_back(all[i]);
        return ids;
    };
    CHECK(page("0", "2", "1") == strings{"4", "c1", "c3"});
    CHECK(page("4", "2", "1") == strings{"-1", "c4", "c5"});
    CHECK(page("0", "3", "0") == strings{"3", "c5", "c4", "c3"});
    CHECK(page("3", "3", "0") == strings{"-1", "c1"});
    CHECK(page("9", "3", "0") == strings{"-1"});
    f.add("w1");
    f.add("w2");
    f.redis({"RPUSH", f.key("wait"), "0:0"});
    CHECK(lines(f.script("list_jobs", {"waiting", "0", "1", "1"})).at(1) == "w1");
    CHECK(lines(f.script("list_jobs", {"waiting", "0", "1", "0"})).at(1) == "w2");
    f.fetch("T", 2);
    CHECK(lines(f.script("list_jobs", {"active", "0", "1", "1"})).at(1) == "w1");
}

} // namespace
} // namespace tiktrend::testing
