#include "drain/drain_plan.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
struct phases {
    std::chrono::milliseconds cancel, close, exit;
};
phases plan(std::chrono::milliseconds timeout) {
    const steady_time start{};
    const auto p = worker::plan_drain(start, timeout);
    const auto ms = [&](steady_time t) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(t - start);
    };
    return {ms(p.cancel_at), ms(p.close_at), ms(p.exit_at)};
}
} // namespace

TEST_CASE("the phases of a drain follow from its timeout", "[unit][worker]") {
    CHECK(plan(105s).cancel == 85s);
    CHECK(plan(105s).close == 95s);
    CHECK(plan(105s).exit == 105s);
    CHECK(plan(27s).cancel == 18s);
    CHECK(plan(27s).close == 24s);
    CHECK(plan(13s).cancel == 7s);
    CHECK(plan(13s).close == 10s);
}

TEST_CASE("the phases keep their order for every timeout", "[unit][worker]") {
    for (auto t = 1000ms; t < 600s; t += 777ms) {
        const auto p = plan(t);
        INFO(t.count());
        CHECK(p.cancel >= t / 2);
        CHECK(p.cancel < p.close);
        CHECK(p.close < p.exit);
        CHECK(p.exit == t);
    }
}
