#include "repeated_lists.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::product_request;
using gateway::repeated_lists;

namespace {

product_request request_named(std::string canonical, std::string cursor = {}) {
    product_request r;
    r.canonical = std::move(canonical);
    r.cursor = std::move(cursor);
    return r;
}

} // namespace

TEST_CASE("a list that was asked for is known by its query's text", "[unit][gateway]") {
    repeated_lists lists;
    CHECK(lists.find("limit=20") == nullptr);
    const auto made = lists.remember("limit=20", request_named("sort=price&limit=20"));
    REQUIRE(lists.find("limit=20") == made);
    CHECK(made->request.canonical == "sort=price&limit=20");
    CHECK(lists.find("limit=2") == nullptr);
    CHECK(lists.find("LIMIT=20") == nullptr);
}

TEST_CASE("lists of other cursors have other keys", "[unit][gateway]") {
    repeated_lists lists;
    const auto first = lists.remember("a", request_named("limit=20"));
    const auto second = lists.remember("b", request_named("limit=20", "c1"));
    const auto same_as_first = lists.remember("c", request_named("limit=20"));
    CHECK(first->key.value() != second->key.value());
    CHECK(first->key.value() == same_as_first->key.value());
}

TEST_CASE("response fields are kept for each coding", "[unit][gateway]") {
    repeated_lists lists;
    const auto list = lists.remember("a", request_named("limit=20"));
    list->made_for(http::content_coding::gzip).etag = "W/\"1\"";
    CHECK(list->made_for(http::content_coding::identity).etag.empty());
    CHECK(list->made_for(http::content_coding::gzip).etag == "W/\"1\"");
}

TEST_CASE("repeated lists are bounded in number and length", "[unit][gateway]") {
    repeated_lists lists;
    const std::string long_query(repeated_lists::longest + 1, 'x');
    const auto understood = lists.remember(long_query, request_named("limit=20"));
    REQUIRE(understood);
    CHECK(lists.find(long_query) == nullptr);

    const auto held = lists.remember("first", request_named("limit=20"));
    for (std::size_t i = 0; i < 3 * repeated_lists::most; ++i) {
        lists.remember(std::to_string(i), request_named("limit=20"));
        REQUIRE(lists.size() <= repeated_lists::most);
    }
    CHECK(lists.find("first") == nullptr);
    CHECK(held->request.canonical == "limit=20"); // whoever holds one keeps it
}
