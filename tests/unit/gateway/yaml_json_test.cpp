#include "yaml_json.hpp"

#include <catch2/catch.hpp>

using tiktrend::gateway::yaml_to_json;

TEST_CASE("YAML becomes the JSON that it means", "[unit][gateway]") {
    CHECK(yaml_to_json("a: 1\nb: 1.5\nc: true\nd: null\ne: text\n") ==
          R"({"a":1,"b":1.5,"c":true,"d":null,"e":"text"})");
    CHECK(yaml_to_json("[x, '1', \"true\", 'null', -7, 202]") == R"(["x","1","true","null",-7,202])");
    CHECK(yaml_to_json("'200': {$ref: '#/a'}\n") == R"({"200":{"$ref":"#/a"}})");
    CHECK(yaml_to_json("a: >-\n  two\n  lines\n") == R"({"a":"two lines"})");
    CHECK(yaml_to_json("{}") == "{}");
    CHECK(yaml_to_json("v: 3.1.0") == R"({"v":"3.1.0"})");
    CHECK_THROWS_AS(yaml_to_json("a: [1"), std::runtime_error);
}
