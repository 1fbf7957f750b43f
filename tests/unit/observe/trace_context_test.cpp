#include <tiktrend/observe/trace_context.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::observe;

TEST_CASE("a valid traceparent is read and written", "[unit][observe]") {
    const std::string text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const auto c = parse_traceparent(text, "k=v");
    REQUIRE(c);
    CHECK(c->sampled);
    CHECK(c->traceparent() == text);
    CHECK(c->to_json() == R"({"traceparent":")" + text + R"(","tracestate":"k=v"})");
    const auto child = continue_trace(c);
    CHECK(child.trace_id == c->trace_id);
    CHECK(child.parent_id != c->parent_id);
    CHECK(continue_trace(std::nullopt).trace_id.size() == 32);
}

TEST_CASE("what the standard says to ignore is ignored", "[unit][observe]") {
    const auto bad =
        GENERATE(as<std::string>{}, "", "00", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                 "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                 "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                 "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
                 "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    CAPTURE(bad);
    CHECK_FALSE(parse_traceparent(bad));
}

TEST_CASE("a higher version is read by its first four fields", "[unit][observe]") {
    CHECK(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes"));
    CHECK_FALSE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01what"));
}
