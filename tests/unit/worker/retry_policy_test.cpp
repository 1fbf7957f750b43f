#include "crawl/retry_policy.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;
using namespace std::chrono_literals;
using action = retry_decision::action;

namespace {
class fixed_random final : public random_source {
public:
    explicit fixed_random(double v) : value{v} {}
    double next() override { return value; }
    double value;
};
} // namespace

TEST_CASE("a transient failure is tried four times with growing pauses", "[unit][worker]") {
    const retry_settings settings;
    fixed_random random{0};
    retry_policy low{settings, random};
    std::vector<std::chrono::milliseconds> pauses;
    for (int i = 0; i < 3; ++i) {
        const auto d = low.on_transient({});
        CHECK(d.what == action::wait);
        pauses.push_back(d.after);
    }
    CHECK(pauses == std::vector<std::chrono::milliseconds>{250ms, 500ms, 1000ms});
    CHECK(low.on_transient({}).what == action::give_up);
    CHECK(low.failed_tries() == 4);

    random.value = 0.999;
    retry_policy high{settings, random};
    CHECK(high.on_transient({}).after < 500ms);
    CHECK(high.on_transient({}).after > 900ms);
}

TEST_CASE("the pause has a ceiling", "[unit][worker]") {
    retry_settings settings;
    settings.tries = 40;
    fixed_random random{0.999};
    retry_policy policy{settings, random};
    for (int i = 0; i < 38; ++i)
        CHECK(policy.on_transient({}).after <= settings.max);
}

TEST_CASE("a rate limit uses up no try and waits at least as long as it was told", "[unit][worker]") {
    const retry_settings settings;
    fixed_random random{0};
    retry_policy policy{settings, random};
    const auto d = policy.on_rate_limited(2s);
    CHECK(d.what == action::wait);
    CHECK(d.after >= 2s);
    CHECK(d.after < 3s);
    CHECK(policy.failed_tries() == 0);
    for (int i = 0; i < 3; ++i)
        CHECK(policy.on_transient({}).what == action::wait);
}

TEST_CASE("waits that would hold the slot for long put the job off", "[unit][worker]") {
    const retry_settings settings; // 10 s in place
    fixed_random random{0};
    {
        retry_policy policy{settings, random};
        const auto d = policy.on_rate_limited(60s);
        CHECK(d.what == action::postpone);
        CHECK(d.after >= 60s);
    }
    {
        retry_policy policy{settings, random};
        CHECK(policy.on_rate_limited(6s).what == action::wait);
        CHECK(policy.on_rate_limited(6s).what == action::postpone); // 12 s in all
    }
    {
        retry_policy policy{settings, random};
        CHECK(policy.on_transient(30s).what == action::postpone); // a 503 that says so
    }
}

TEST_CASE("a rate limit without a time grows by itself until the job is put off", "[unit][worker]") {
    const retry_settings settings;
    fixed_random random{0.5};
    retry_policy policy{settings, random};
    int waits = 0;
    retry_decision d;
    while ((d = policy.on_rate_limited({})).what == action::wait) {
        CHECK(d.after >= 1s);
        REQUIRE(++waits < 20);
    }
    CHECK(waits >= 2);
    CHECK(d.what == action::postpone);
}
