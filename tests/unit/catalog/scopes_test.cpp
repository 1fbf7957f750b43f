#include <tiktrend/catalog/scopes.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::catalog;

TEST_CASE("a scope allows itself and admin allows all", "[unit][catalog]") {
    constexpr scope_set readers{scope::read, scope::metrics};
    CHECK(readers.allows(scope::read));
    CHECK_FALSE(readers.allows(scope::scrape));
    CHECK_FALSE(readers.allows(scope::admin));
    constexpr scope_set admins{scope::admin};
    for (const auto s : {scope::read, scope::scrape, scope::copy, scope::admin, scope::metrics})
        CHECK(admins.allows(s));
    CHECK_FALSE(scope_set{}.allows(scope::read));
    CHECK(readers.names() == std::vector<std::string>{"read", "metrics"});
}

TEST_CASE("scope names read back", "[unit][catalog]") {
    for (const auto s : {scope::read, scope::scrape, scope::copy, scope::admin, scope::metrics})
        CHECK(parse_scope(to_string(s)) == s);
    CHECK_FALSE(parse_scope("root"));
    CHECK_FALSE(parse_scope(""));
}
