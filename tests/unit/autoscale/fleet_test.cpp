#include "fleet.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

using namespace tiktrend::autoscale;

namespace {

trace parse(const std::string& text) {
    std::istringstream in{text};
    return read_trace(in);
}

std::vector<int> sizes(const outcome& o) {
    std::vector<int> out;
    for (const auto& s : o.samples)
        if (out.empty() || out.back() != s.replicas) out.push_back(s.replicas);
    return out;
}

} // namespace

TEST_CASE("a burst of 500 jobs: up in three syncs, down in small steps, nothing lost", "[unit][autoscale]") {
    const auto o = simulate(parse("length 30m\njob 20s 50%\nstart 40s\nat 1m burst 500\n"), {});
    const auto all = sizes(o);
    REQUIRE(all.size() >= 4 + 6);
    CHECK(std::vector(all.begin(), all.begin() + 4) == std::vector{3, 7, 14, 20});
    CHECK(all.back() == 3);
    CHECK(std::is_sorted(all.begin() + 3, all.end(), std::greater{}));
    for (const auto& s : o.samples) // never more than a fifth in a minute
        if (s.at >= moment{180} && s.at.count() + 60 < 1800)
            CHECK(o.samples[static_cast<std::size_t>(s.at.count()) + 60].replicas >=
                  static_cast<int>(s.replicas * 0.8));
    CHECK(o.finished == 500);
    CHECK(o.unfinished == 0);
    CHECK(o.released == 0); // jobs are shorter than the drain
    CHECK(o.waits.size() == 500);
    CHECK(percentile(o.waits, 100) < 120);
}

TEST_CASE("jobs that are longer than the drain go back, and are finished by others", "[unit][autoscale]") {
    const auto o = simulate(parse("length 2h\njob 5m 10%\nstart 40s\nat 0s burst 60\nat 2m lose 3\n"), {});
    CHECK(o.released > 0);
    CHECK(o.finished == 60);
    CHECK(o.waits.size() == 60); // a second start is no second wait
}

TEST_CASE("while the metric is missing nothing shrinks", "[unit][autoscale]") {
    const auto o = simulate(parse("length 40m\njob 20s\nat 1m burst 500\nat 3m blind 15m\n"), {});
    for (const auto& s : o.samples)
        if (s.blind) CHECK(s.replicas == 20);
    CHECK(o.samples.back().replicas == 3);
}

TEST_CASE("the same trace gives the same run", "[unit][autoscale]") {
    const auto t = parse("seed 5\nlength 1h\njob 30s 80%\nat 0s rate 2/s\nat 20m lose 4\n");
    const auto a = simulate(t, {});
    const auto b = simulate(t, {});
    CHECK(a.waits == b.waits);
    CHECK(a.worker_hours == b.worker_hours);
    CHECK(a.arrived == a.finished + a.unfinished);
}

TEST_CASE("an idle hour costs the minimum", "[unit][autoscale]") {
    const auto o = simulate(parse("length 1h\n"), {});
    CHECK(o.worker_hours == Approx(3).epsilon(0.01));
    CHECK(o.peak == 3);
}

TEST_CASE("the shipped traces can be read, and lose nothing", "[unit][autoscale]") {
    for (const auto* name : {"burst", "spot", "slow-start"}) {
        INFO(name);
        std::ifstream in{std::string{std::getenv("TIKTREND_SOURCE_DIR")} + "/tools/autoscale-sim/traces/" +
                         name + ".trace"};
        const auto o = simulate(read_trace(in), {});
        CHECK(o.arrived > 0);
        CHECK(o.arrived == o.finished + o.unfinished);
    }
}

TEST_CASE("percentiles by nearest rank", "[unit][autoscale]") {
    CHECK(percentile({}, 50) == 0);
    CHECK(percentile({4, 1, 3, 2}, 50) == 2);
    CHECK(percentile({4, 1, 3, 2}, 95) == 4);
    CHECK(percentile({7}, 0) == 7);
}
