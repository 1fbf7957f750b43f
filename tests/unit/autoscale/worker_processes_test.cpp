#include "worker_processes.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

using namespace tiktrend;
using namespace tiktrend::autoscale;

namespace {

std::string read(const std::filesystem::path& file) {
    std::ostringstream out;
    out << std::ifstream{file}.rdbuf();
    return out.str();
}

/// A worker in the shell: writes its port file, then obeys or ignores SIGTERM.
std::vector<std::string> shell(const std::string& on_term) {
    return {"sh", "-c",
            "trap '" + on_term +
                "' TERM; echo METRICS_PORT=12${WORKER_NAME#worker-} >\"$PORT_FILE\"; "
                "while :; do sleep 1 & wait $!; done"};
}

bool all_taking(const worker_processes& fleet, int n) {
    return testing::poll_until([&] { return fleet.taking_jobs() == n; });
}

} // namespace

TEST_CASE("workers are started, listed for Prometheus, and stopped youngest first", "[unit][autoscale]") {
    const testing::temp_dir dir;
    worker_processes fleet{shell("exit 0"), dir.path() / "workers", moment{120}};
    for (int i = 0; i < 3; ++i)
        fleet.start();
    REQUIRE(all_taking(fleet, 3));
    fleet.write_targets(dir.path() / "targets.json");
    CHECK(read(dir.path() / "targets.json") == "[{\"targets\":[\"127.0.0.1:121\",\"127.0.0.1:122\",\"127.0.0."
                                               "1:123\"],\"labels\":{\"job\":\"worker\"}}]\n");

    fleet.stop_youngest(moment{0});
    CHECK(fleet.replicas() == 2); // at once, though it may still drain
    const auto listed = [&] {
        fleet.reap(moment{1});
        fleet.write_targets(dir.path() / "targets.json");
        return read(dir.path() / "targets.json");
    };
    CHECK(testing::poll_until([&] { return listed().find("123") == std::string::npos; }));
    CHECK(listed().find("127.0.0.1:122") != std::string::npos);

    fleet.stop_all(moment{2});
    CHECK(testing::poll_until([&] {
        fleet.reap(moment{3});
        return fleet.none_left();
    }));
    CHECK(fleet.failures() == 0);
}

TEST_CASE("a worker that does not end in its grace period is killed, and counted", "[unit][autoscale]") {
    const testing::temp_dir dir;
    worker_processes fleet{shell(":"), dir.path(), moment{120}};
    fleet.start();
    REQUIRE(all_taking(fleet, 1));
    fleet.stop_youngest(moment{0});
    fleet.reap(moment{119});
    CHECK_FALSE(fleet.none_left());
    CHECK(testing::poll_until([&] {
        fleet.reap(moment{120});
        return fleet.none_left();
    }));
    CHECK(fleet.failures() == 1);
}

TEST_CASE("a worker that ends by itself, or never starts, is counted", "[unit][autoscale]") {
    const testing::temp_dir dir;
    for (const auto& command : {std::vector<std::string>{"sh", "-c", "exit 0"}, {"/no/such/program"}}) {
        worker_processes fleet{command, dir.path(), moment{120}};
        fleet.start();
        CHECK(testing::poll_until([&] {
            fleet.reap(moment{0});
            return fleet.none_left();
        }));
        CHECK(fleet.failures() == 1);
    }
}
