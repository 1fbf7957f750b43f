#include "prometheus.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::autoscale;

TEST_CASE("values of an instant query", "[unit][autoscale]") {
    CHECK(parse_vector(R"({"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"queue":"a"},"value":[1,"42"]},{"metric":{},"value":[1.5,"0.5"]}]}})") ==
          std::vector{42.0, 0.5});
}

TEST_CASE("an empty vector is an answer", "[unit][autoscale]") {
    const auto v = parse_vector(R"({"status":"success","data":{"resultType":"vector","result":[]}})");
    REQUIRE(v);
    CHECK(v->empty());
}

TEST_CASE("what is no number of jobs is no answer", "[unit][autoscale]") {
    CHECK_FALSE(parse_vector(""));
    CHECK_FALSE(parse_vector("<html>"));
    CHECK_FALSE(parse_vector(R"({"status":"error","errorType":"bad_data"})"));
    CHECK_FALSE(parse_vector(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"));
    CHECK_FALSE(
        parse_vector(R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}})"));
    CHECK_FALSE(
        parse_vector(R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}})"));
}

TEST_CASE("nobody there is no answer", "[unit][autoscale]") {
    CHECK_FALSE(prometheus{"http://127.0.0.1:1"}.query("up"));
}
