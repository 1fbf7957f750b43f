#include <tiktrend/postgres/params.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace tiktrend::postgres;

TEST_CASE("parameters are counted in order, NULLs too", "[unit][postgres]") {
    const auto p = params::of(1, "text", 0.5, true, std::optional<std::string>{}, std::string{"s"});
    CHECK(p.size() == 6);
    CHECK(no_params().size() == 0);
}

TEST_CASE("text with a NUL byte is refused instead of cut", "[unit][postgres]") {
    params p;
    CHECK_THROWS_AS(p.add(std::string_view{"a\0b", 3}), std::invalid_argument);
    CHECK(p.size() == 0);
    CHECK_NOTHROW(p.add_bytes(std::string_view{"a\0b", 3}));
}
