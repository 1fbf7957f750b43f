#include "stored_options.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

using namespace std::chrono_literals;

TEST_CASE("options of other clients are understood", "[unit][queue]") {
    options_reader reader;
    const auto o =
        reader.read(R"({"attempts":3,"backoff":{"delay":1000,"type":"exponential","jitter":0.5},"lifo":true,)"
                    R"("removeOnComplete":{"limit":5,"count":10,"age":3600},"removeOnFail":true,"kl":5,)"
                    R"("stackTraceLimit":2,"tm":"{}","something":{"new":[]}})");
    CHECK(o.attempts == 3);
    REQUIRE(o.backoff);
    CHECK(o.backoff->type == "exponential");
    CHECK(o.backoff->delay == 1s);
    CHECK(o.backoff->jitter == 0.5);
    CHECK(o.lifo);
    CHECK(o.remove_on_complete == keep_policy{10, 3600s, 5});
    CHECK(o.remove_on_fail == keep_policy::none());
    CHECK(o.keep_logs == 5);
    CHECK(o.stack_trace_limit == 2);
}

TEST_CASE("each form of removeOnComplete is read", "[unit][queue]") {
    options_reader reader;
    const auto keep = [&](const std::string& form) {
        return reader.read("{\"removeOnComplete\":" + form + "}").remove_on_complete;
    };
    CHECK(keep("true") == keep_policy::none());
    CHECK(keep("false") == keep_policy::all());
    CHECK(keep("100") == keep_policy::newest(100));
    CHECK(keep("-1") == keep_policy::all());
    CHECK(keep("0") == keep_policy::none());
    CHECK(keep("1e3") == keep_policy::newest(1000)); // a script of another client may write it so
    CHECK(keep("{\"age\":60}") == keep_policy{{}, 60s, {}});
    CHECK_FALSE(keep("null"));
    CHECK_FALSE(keep("\"all\""));
}

TEST_CASE("what cannot be read counts as unset", "[unit][queue]") {
    options_reader reader;
    for (const char* text : {"", "{", "[]", "null", "{\"attempts\":\"3\"}", "{\"attempts\":-1}",
                             "{\"attempts\":1e300}", "{\"backoff\":\"fixed\",\"kl\":{},\"lifo\":1}"}) {
        CAPTURE(text);
        const auto& o = reader.read(text);
        CHECK(o.attempts == 0);
        CHECK_FALSE(o.backoff);
        CHECK_FALSE(o.keep_logs);
        CHECK_FALSE(o.lifo);
    }
}

TEST_CASE("a number alone is a fixed pause", "[unit][queue]") {
    options_reader reader;
    const auto o = reader.read("{\"backoff\":2500}");
    REQUIRE(o.backoff);
    CHECK(o.backoff->type == "fixed");
    CHECK(o.backoff->delay == 2500ms);
}

TEST_CASE("the same text is read once and another one again", "[unit][queue]") {
    options_reader reader;
    CHECK(reader.read("{\"attempts\":2}").attempts == 2);
    CHECK(reader.read("{\"attempts\":2}").attempts == 2);
    CHECK(reader.read("{\"attempts\":3}").attempts == 3);
}

TEST_CASE("JSON is told from what is not", "[unit][queue]") {
    json_checker json;
    for (const char* text : {"{}", "[1,2]", "null", "true", "-1.5e3", "\"é\"", "  {\"a\": [ ] } "}) {
        CAPTURE(text);
        CHECK(json.is_json(text));
    }
    for (const char* text :
         {"", " ", "{", "{}}", "{} {}", "{'a':1}", "undefined", "NaN", "[1,]", "\"\xff\"", "\"\n\""}) {
        CAPTURE(text);
        CHECK_FALSE(json.is_json(text));
    }
    CHECK_FALSE(json.is_json(std::string(5000, '[') + std::string(5000, ']')));
    CHECK(json.is_json("[" + std::string(3 << 20, ' ') + "]")); // large: the parser's memory is given back
    CHECK(json.is_json("{}"));
}

TEST_CASE("an array of texts is taken apart", "[unit][queue]") {
    json_checker json;
    CHECK(json.texts(R"(["a","b\n"])") == std::vector<std::string>{"a", "b\n"});
    CHECK(json.texts("[]").empty());
    CHECK(json.texts("nonsense").empty());
    CHECK(json.texts("").empty());
}

} // namespace
} // namespace tiktrend::queue
