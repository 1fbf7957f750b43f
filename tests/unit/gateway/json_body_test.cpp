#include "json_body.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::json_object_reader;

namespace {
struct parsed {
    explicit parsed(const std::string& text) : root{parser.parse(text)} {}
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::object object() { return root.get_object(); }
};
} // namespace

TEST_CASE("all mistakes of an object are told at once, with place and kind", "[unit][gateway]") {
    parsed p{R"({"name":7,"n":99,"f":"x","mode":"fast","extra":1,"o":[]})"};
    json_object_reader r{p.object(), {"body"}};
    CHECK(r.required_text("source", 1, 10).empty());
    CHECK_FALSE(r.text("name", 0, 10));
    CHECK_FALSE(r.integer("n", 1, 10));
    CHECK_FALSE(r.number("f", 0, 1));
    CHECK_FALSE(r.one_of("mode", {"fixed", "exponential"}));
    CHECK_FALSE(r.object("o"));
    const auto errors = r.take_errors();
    std::vector<std::string> kinds;
    for (const auto& e : errors)
        kinds.push_back(e.loc.back() + ":" + e.type);
    CHECK(kinds == std::vector<std::string>{"source:missing", "name:string_type", "n:less_than_equal",
                                            "f:float_type", "mode:enum", "o:dict_type",
                                            "extra:extra_forbidden"});
    CHECK(errors[0].loc == std::vector<std::string>{"body", "source"});
}

TEST_CASE("no body makes a client read thousands of mistakes", "[unit][gateway]") {
    std::string text = R"({"n":"x")";
    for (int i = 0; i < 130'000; ++i)
        text += ",\"m" + std::to_string(i) + "\":1";
    parsed p{text + '}'};
    json_object_reader many{p.object(), {"body"}};
    many.integer("n", 0, 1);
    auto errors = many.take_errors();
    REQUIRE(errors.size() == gateway::max_invalid_fields);
    CHECK(errors[0].type == "int_type"); // what was read is told before what is too much

    json_object_reader few{p.object(), {"body"}, 3};
    few.integer("n", 0, 1);
    few.add(std::move(errors));
    few.fail("n", "too late", "late");
    CHECK(few.take_errors().size() == 3);
}

TEST_CASE("good values are read; absent ones are nothing", "[unit][gateway]") {
    parsed p{R"({"name":"x","n":5,"f":0.5,"o":{"a":1}})"};
    json_object_reader r{p.object(), {"body"}};
    CHECK(r.required_text("name", 1, 10) == "x");
    CHECK(r.integer("n", 1, 10) == 5);
    CHECK(r.number("f", 0, 1) == 0.5);
    CHECK(r.object("o"));
    CHECK_FALSE(r.text("absent", 0, 1));
    CHECK_NOTHROW(r.finish());
}

TEST_CASE("a body must be JSON by type, by syntax and an object", "[unit][gateway]") {
    simdjson::dom::parser parser;
    const auto status_of = [&](std::string_view type, std::string body) {
        http::request r;
        r.headers.set("Content-Type", type);
        r.body = std::move(body);
        try {
            gateway::parse_json_object(parser, r);
            return 200;
        } catch (const http::problem& p) {
            return p.status();
        }
    };
    CHECK(status_of("application/json", "{}") == 200);
    CHECK(status_of("Application/JSON; charset=utf-8", "{}") == 200);
    CHECK(status_of("text/plain", "{}") == 415);
    CHECK(status_of("", "{}") == 415);
    CHECK(status_of("application/json", "{") == 400);
    CHECK(status_of("application/json", "") == 400);
    CHECK(status_of("application/json", "{\"a\":\"\xff\"}") == 400);
    CHECK(status_of("application/json", "[]") == 422);
}
