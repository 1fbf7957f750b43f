#include "backoff.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

using namespace std::chrono_literals;

class fixed_random final : public random_source {
public:
    explicit fixed_random(double value) : value_{value} {}
    double next() override { return value_; }

private:
    double value_;
};

std::chrono::milliseconds delay(const backoff_options& o, std::int32_t attempt, double random = 0) {
    fixed_random source{random};
    return backoff_delay(o, attempt, source);
}

TEST_CASE("a fixed pause is the same each time", "[unit][queue]") {
    const backoff_options o{"fixed", 1500ms, 0};
    CHECK(delay(o, 1) == 1500ms);
    CHECK(delay(o, 7) == 1500ms);
}

TEST_CASE("an exponential pause doubles with each attempt", "[unit][queue]") {
    const backoff_options o{"exponential", 2000ms, 0};
    CHECK(delay(o, 1) == 2000ms);
    CHECK(delay(o, 2) == 4000ms);
    CHECK(delay(o, 3) == 8000ms);
    CHECK(delay(o, 11) == 2'048'000ms);
}

TEST_CASE("jitter takes away up to its share, and the rest is rounded down", "[unit][queue]") {
    const backoff_options fixed{"fixed", 1001ms, 0.5};
    CHECK(delay(fixed, 1, 0.0) == 500ms);
    CHECK(delay(fixed, 1, 0.5) == 750ms);
    CHECK(delay(fixed, 1, 0.999999) == 1000ms);
    const backoff_options whole{"exponential", 1000ms, 1};
    CHECK(delay(whole, 3, 0.25) == 1000ms);
    CHECK(delay(whole, 3, 0.0) == 0ms);
}

TEST_CASE("a pause never grows beyond what a score can hold", "[unit][queue]") {
    CHECK(delay({"exponential", 1000ms, 0}, 100) == max_delay);
    CHECK(delay({"exponential", 1000ms, 0}, 2'000'000) == max_delay);
    CHECK((1'795'000'000'000 + max_delay.count()) * 4096 < (std::int64_t{1} << 53));
}

TEST_CASE("only fixed and exponential are built in", "[unit][queue]") {
    CHECK(is_builtin_backoff("fixed"));
    CHECK(is_builtin_backoff("exponential"));
    CHECK_FALSE(is_builtin_backoff("fibonacci"));
}

} // namespace
} // namespace tiktrend::queue
