#include <tiktrend/observe/trace_context.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::observe;

namespace {
const std::string trace = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";
struct zeros final : random_source {
    double next() override { return 0; }
};
} // namespace

TEST_CASE("a traceparent of version 00 is read and written back", "[unit][observe]") {
    const auto t = parse_traceparent("00-" + trace + "-" + span + "-01");
    REQUIRE(t);
    CHECK(t->trace_id == trace);
    CHECK(t->span_id == span);
    CHECK(t->sampled);
    CHECK(t->traceparent() == "00-" + trace + "-" + span + "-01");
    CHECK_FALSE(parse_traceparent("00-" + trace + "-" + span + "-00")->sampled);
    CHECK(parse_traceparent("00-" + trace + "-" + span + "-ff")->traceparent().substr(53) == "01");
}

TEST_CASE("malformed traceparents are refused", "[unit][observe]") {
    const std::string zero32(32, '0'), zero16(16, '0');
    for (const auto& bad :
         {std::string{}, "00-" + trace + "-" + span, "00-" + trace + "-" + span + "-1",
          "00-" + trace + "-" + span + "-01-", "00-" + trace + "-" + span + "-01-x",
          "ff-" + trace + "-" + span + "-01", "0F-" + trace + "-" + span + "-01",
          "00-" + zero32 + "-" + span + "-01", "00-" + trace + "-" + zero16 + "-01",
          "00-0AF7651916CD43DD8448EB211C80319C-" + span + "-01", "00-" + trace + "_" + span + "-01",
          "00-" + trace + "-" + span + "-0g", "zz-" + trace + "-" + span + "-01"}) {
        INFO(bad);
        CHECK_FALSE(parse_traceparent(bad));
    }
}

TEST_CASE("of a higher version the first four fields are read", "[unit][observe]") {
    CHECK(parse_traceparent("01-" + trace + "-" + span + "-01"));
    CHECK(parse_traceparent("cc-" + trace + "-" + span + "-01-what-the-future-brings"));
    CHECK_FALSE(parse_traceparent("cc-" + trace + "-" + span + "-01.what"));
    CHECK(parse_traceparent("cc-" + trace + "-" + span + "-01")->traceparent().substr(0, 3) == "00-");
}

TEST_CASE("a request continues its trace, or begins one without the state", "[unit][observe]") {
    default_random random{7};
    const auto known = receive_trace("00-" + trace + "-" + span + "-01", "vendor=1,other=2", random);
    CHECK(known.trace_id == trace);
    CHECK(known.state == "vendor=1,other=2");
    const auto child = known.child(random);
    CHECK(child.trace_id == trace);
    CHECK(child.span_id != span);
    CHECK(child.sampled);
    CHECK(child.state == known.state);
    const auto fresh = receive_trace("junk", "vendor=1", random);
    CHECK(fresh.trace_id != trace);
    CHECK(fresh.state.empty());
    CHECK_FALSE(fresh.sampled);
    CHECK(parse_traceparent(fresh.traceparent()));
    CHECK(parse_traceparent(child.traceparent()));
    zeros none;
    CHECK(parse_traceparent(new_trace(none).traceparent())); // never all zero
}
