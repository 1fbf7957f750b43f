#include "stream.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::http;

TEST_CASE("events are lines that end with an empty one", "[unit][http]") {
    CHECK(format_event("", "", "x") == "data: x\n\n");
    CHECK(format_event("7", "progress", "{}") == "id: 7\nevent: progress\ndata: {}\n\n");
    CHECK(format_event("", "", "a\nb\r\nc\rd") == "data: a\ndata: b\ndata: c\ndata: d\n\n");
    CHECK(format_event("", "", "") == "data: \n\n");
    CHECK(format_event("1\ndata: evil", "e\r\nid: 2", "x") == "id: 1\nevent: e\ndata: x\n\n");
    CHECK(format_comment("ping") == ": ping\n\n");
}
