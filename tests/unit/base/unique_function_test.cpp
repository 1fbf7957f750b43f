#include <tiktrend/base/unique_function.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <memory>

using tiktrend::unique_function;

TEST_CASE("small and large callables are called, moved and destroyed once", "[unit][base]") {
    const auto alive = std::make_shared<int>(1);
    {
        unique_function<int(int)> small = [alive](int x) { return x + *alive; };
        std::array<long, 16> big{};
        big[3] = 5;
        unique_function<int(int)> large = [alive, big](int x) { return x + static_cast<int>(big[3]); };
        CHECK(small(1) == 2);
        CHECK(large(1) == 6);
        CHECK(alive.use_count() == 3);
        auto moved = std::move(small);
        CHECK_FALSE(small);
        CHECK(moved(2) == 3);
        large = std::move(moved);
        CHECK(alive.use_count() == 2);
        CHECK(large(3) == 4);
    }
    CHECK(alive.use_count() == 1);
}

TEST_CASE("a callable that can only be moved is accepted", "[unit][base]") {
    unique_function<int()> f = [p = std::make_unique<int>(9)] { return *p; };
    CHECK(f() == 9);
}
