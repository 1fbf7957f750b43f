#include <tiktrend/http/headers.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace tiktrend::http;

TEST_CASE("fields keep their order and are found whatever their case", "[unit][http]") {
    headers h;
    h.add("Accept", "a");
    h.add("Host", "x");
    h.add("accept", "b");
    CHECK(h.get("ACCEPT") == "a");
    CHECK(h.count("Accept") == 2);
    CHECK(h.get("Hos").empty());
    std::string all;
    for (const auto& [name, value] : h)
        all.append(name).append("=").append(value).append(";");
    CHECK(all == "Accept=a;Host=x;accept=b;");
    h.set("Accept", h.get("accept"));
    CHECK(h.size() == 2);
    CHECK(h.get("Accept") == "a");
    h.erase("HOST");
    CHECK_FALSE(h.has("Host"));
    h.clear();
    CHECK(h.empty());
}

TEST_CASE("a field cannot carry another one", "[unit][http]") {
    headers h;
    CHECK_THROWS_AS(h.add("A", "x\r\nB: y"), std::invalid_argument);
    CHECK_THROWS_AS(h.set("A", "x\ny"), std::invalid_argument);
    CHECK_THROWS_AS(h.add("A", std::string_view("x\0y", 3)), std::invalid_argument);
    CHECK_THROWS_AS(h.add("A:B", "x"), std::invalid_argument);
    CHECK_THROWS_AS(h.add("A B", "x"), std::invalid_argument);
    CHECK_THROWS_AS(h.add("", "x"), std::invalid_argument);
    CHECK(h.empty());
}
