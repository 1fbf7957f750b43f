#include "hpa.hpp"

#include <catch2/catch.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace tiktrend::autoscale;

namespace {

/// Where a fleet of `from` ends when the depth stays, policies and windows aside: what the metric alone asks
/// for.
int settled(int from, double depth) {
    const hpa h{shipped_settings()};
    const auto& s = h.settings();
    return std::clamp(h.proposal(from, depth), s.min_replicas, s.max_replicas);
}

/// Syncs every 15 s from `from` at this depth; the sizes that it takes, each once.
std::vector<int> sizes(hpa_settings settings, int from, double depth, int syncs, moment start = moment{0}) {
    hpa h{std::move(settings)};
    std::vector<int> out;
    int current = from;
    for (int i = 0; i < syncs; ++i) {
        const int next = h.sync(start + moment{15.0 * i}, current, depth);
        if (next != current) out.push_back(next);
        current = next;
    }
    return out;
}

} // namespace

TEST_CASE("the fleet that a depth asks for", "[unit][autoscale]") {
    struct row {
        double depth;
        int from_3, from_10, from_20;
    };
    for (const auto& r : std::initializer_list<row>{{0, 3, 3, 3},
                                                    {10, 3, 3, 3},
                                                    {26, 3, 3, 3},
                                                    {27, 3, 3, 3},
                                                    {32, 3, 4, 4},
                                                    {34, 4, 4, 4},
                                                    {89, 9, 9, 9},
                                                    {91, 10, 10, 10},
                                                    {101, 11, 10, 11},
                                                    {109, 11, 10, 11},
                                                    {180, 18, 18, 20},
                                                    {191, 20, 20, 20},
                                                    {500, 20, 20, 20}}) {
        INFO("depth " << r.depth);
        CHECK(settled(3, r.depth) == r.from_3);
        CHECK(settled(10, r.depth) == r.from_10);
        CHECK(settled(20, r.depth) == r.from_20);
    }
}

TEST_CASE("500 jobs bring 3 workers to 20 in three syncs", "[unit][autoscale]") {
    CHECK(sizes(shipped_settings(), 3, 500, 6) == std::vector{7, 14, 20});
    CHECK(sizes(default_settings(), 3, 500, 6) == std::vector{7, 14, 20});
}

TEST_CASE("20 workers shrink to 3 in seven steps, after five minutes", "[unit][autoscale]") {
    CHECK(sizes(shipped_settings(), 20, 5, 20).empty()); // 300 s at 20 were recommended at the start
    CHECK(sizes(shipped_settings(), 20, 5, 60) == std::vector{16, 12, 9, 7, 5, 4, 3});
    CHECK(sizes(default_settings(), 20, 5, 60) == std::vector{3});
}

TEST_CASE("a busy fleet without a backlog stays as it is", "[unit][autoscale]") {
    for (int n = 3; n <= 20; ++n)
        CHECK(sizes(shipped_settings(), n, 10.0 * n, 100).empty());
}

TEST_CASE("more than 100 jobs grow a fleet of 3; fewer than 10 for five minutes shrink it",
          "[unit][autoscale]") {
    CHECK(sizes(shipped_settings(), 3, 101, 10).back() == 11);
    CHECK(sizes(shipped_settings(), 10, 9, 100).back() == 3);
    hpa h{shipped_settings()}; // a short lull is no reason
    int current = 10;
    for (int i = 0; i < 200; ++i)
        current = h.sync(moment{15.0 * i}, current, i % 16 == 15 ? 100 : 5);
    CHECK(current == 10);
}

TEST_CASE("without a metric the fleet stays as it is", "[unit][autoscale]") {
    hpa h{shipped_settings()};
    for (int i = 0; i < 100; ++i)
        CHECK(h.sync(moment{15.0 * i}, 12, std::nullopt) == 12);
}

TEST_CASE("a fleet outside its limits is brought back at once, metric or not", "[unit][autoscale]") {
    CHECK(hpa{shipped_settings()}.sync(moment{0}, 1, std::nullopt) == 3);
    CHECK(hpa{shipped_settings()}.sync(moment{0}, 25, std::nullopt) == 20);
    CHECK(hpa{shipped_settings()}.sync(moment{0}, 0, 500) == 0); // switched off
}

TEST_CASE("policies: the smaller one, and none at all", "[unit][autoscale]") {
    auto s = shipped_settings();
    s.up.select = select_policy::min;
    CHECK(sizes(s, 3, 500, 3) == std::vector{6, 10, 14}); // 3: +100 % is less than +4; then +4
    s.up.select = select_policy::disabled;
    CHECK(sizes(s, 3, 500, 10).empty());
    s.down.select = select_policy::disabled;
    CHECK(sizes(s, 20, 0, 100).empty());
}

TEST_CASE("a window on the way up waits for the lowest recent proposal", "[unit][autoscale]") {
    auto s = shipped_settings();
    s.up.stabilization_window = moment{60};
    hpa h{s};
    CHECK(h.sync(moment{0}, 3, 10) == 3);
    CHECK(h.sync(moment{15}, 3, 500) == 3);
    CHECK(h.sync(moment{45}, 3, 500) == 3);
    CHECK(h.sync(moment{61}, 3, 500) == 7);
}

TEST_CASE("the shipped manifest says the same", "[unit][autoscale]") {
    const auto file =
        std::string{std::getenv("TIKTREND_SOURCE_DIR")} + "/deploy/k8s/components/hpa/scraper-workers.yaml";
    const auto spec = YAML::LoadFile(file)["spec"];
    const auto ours = shipped_settings();
    CHECK(spec["minReplicas"].as<int>() == ours.min_replicas);
    CHECK(spec["maxReplicas"].as<int>() == ours.max_replicas);
    CHECK(spec["metrics"][0]["external"]["target"]["averageValue"].as<double>() == ours.average_value);
    const auto same = [](const YAML::Node& node, const scaling_rules& rules) {
        CHECK(node["stabilizationWindowSeconds"].as<double>() == rules.stabilization_window.count());
        REQUIRE(node["policies"].size() == rules.policies.size());
        for (std::size_t i = 0; i < rules.policies.size(); ++i) {
            const auto& p = rules.policies[i];
            CHECK(node["policies"][i]["type"].as<std::string>() ==
                  (p.type == scaling_policy::unit::pods ? "Pods" : "Percent"));
            CHECK(node["policies"][i]["value"].as<int>() == p.value);
            CHECK(node["policies"][i]["periodSeconds"].as<double>() == p.period.count());
        }
    };
    same(spec["behavior"]["scaleUp"], ours.up);
    same(spec["behavior"]["scaleDown"], ours.down);
}
