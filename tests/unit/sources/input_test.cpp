#include "json_document.hpp"
#include "sources_fixture.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

definition_ptr with_input(const std::string& input) {
    parts p;
    p.input = input;
    return define(p);
}

/// "loc: type" of every wrong field, or the canonical JSON.
std::string check(const definition& source, std::string_view json) {
    const auto checked = validate_input(source, json);
    if (checked) return checked->json();
    std::string out;
    const auto errors = checked.error();
    for (const auto& e : errors) {
        if (!out.empty()) out += ", ";
        for (const auto& l : e.loc)
            out += l;
        out += ":" + e.type;
    }
    return out;
}

} // namespace

TEST_CASE("inputs of the right type are taken and completed with defaults", "[unit][sources][input]") {
    const auto source = with_input(
        "{q: {type: string, max: 5}, days: {type: integer, enum: [7, 30], default: 7}, all: {type: bool, "
        "default: false}, currency: {type: currency, optional: true}, rule: {enum: [auto, dot], default: "
        "auto}}");
    CHECK(check(*source, R"({"q":"tea"})") == R"({"q":"tea","days":7,"all":false,"rule":"auto"})");
    CHECK(check(*source, R"({"rule":"dot","currency":"eur","all":true,"days":30,"q":"tea"})") ==
          R"({"q":"tea","days":30,"all":true,"currency":"EUR","rule":"dot"})");
    CHECK(check(*source, R"({"q":"tea","currency":null})") ==
          R"({"q":"tea","days":7,"all":false,"rule":"auto"})");
    const auto values = inputs_of(*source, R"({"q":"tea"})");
    CHECK(values.find("days") == "7");
    CHECK_FALSE(values.find("currency"));
    CHECK_FALSE(values.find("nothing"));
    CHECK(values.entries().size() == 5);
}

TEST_CASE("wrong inputs are all reported with place and type", "[unit][sources][input]") {
    const auto source = with_input(
        "{q: {type: string, min: 2, max: 5, pattern: \"^[a-z]+$\"}, days: {type: integer, min: 1, max: 9}, "
        "all: {type: bool, optional: true}, unit: {enum: [a, b], default: a}}");
    CHECK(check(*source, "{}") == "q:missing, days:missing");
    CHECK(check(*source, "") == "q:missing, days:missing");
    CHECK(check(*source, "null") == "q:missing, days:missing");
    CHECK(check(*source, R"({"q":5,"days":"3"})") == "q:string_type, days:int_type");
    CHECK(check(*source, R"({"q":"ab","days":3.5})") == "days:int_type");
    CHECK(check(*source, R"({"q":"ab","days":99999999999999999999})") == "days:int_type");
    CHECK(check(*source, R"({"q":"x","days":0})") == "q:string_too_short, days:greater_than_equal");
    CHECK(check(*source, R"({"q":"abcdef","days":10})") == "q:string_too_long, days:less_than_equal");
    CHECK(check(*source, R"({"q":"ABC","days":1})") == "q:string_pattern_mismatch");
    CHECK(check(*source, R"({"q":"a\nb","days":1})") == "q:string_control_characters");
    CHECK(check(*source, R"({"q":"ab","days":1,"all":"yes"})") == "all:bool_type");
    CHECK(check(*source, R"({"q":"ab","days":1,"unit":"c"})") == "unit:enum");
    CHECK(check(*source, R"({"q":"ab","days":1,"z":1})") == "z:extra_forbidden");
    CHECK(check(*source, "[]") == ":dict_type");
    CHECK(check(*source, "{\"q\":") == ":json_invalid");
    CHECK(check(*source, std::string(100'000, '[')) == ":json_invalid");
}

TEST_CASE("a body of very many unknown inputs gets a short answer", "[unit][sources][input]") {
    const auto source = with_input("{}");
    std::string json = "{";
    for (int i = 0; i < 10'000; ++i)
        json += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
    const auto checked = validate_input(*source, json + "}");
    REQUIRE(checked.has_error());
    CHECK(checked.error().size() == 20);
}

TEST_CASE("hosts are names, addresses and ports, nothing that could leave the host",
          "[unit][sources][input]") {
    const auto source = with_input("{shop: {type: host}}");
    const auto host = [&](const std::string& text) { return check(*source, "{\"shop\":\"" + text + "\"}"); };
    CHECK(host("Shop.Example") == R"({"shop":"shop.example"})");
    CHECK(host("shop.example.") == R"({"shop":"shop.example"})");
    CHECK(host("shop.example:8443") == R"({"shop":"shop.example:8443"})");
    CHECK(host("127.0.0.1:4000") == R"({"shop":"127.0.0.1:4000"})");
    CHECK(host("[::1]:4000") == R"({"shop":"[::1]:4000"})");
    CHECK(host("localhost") == R"({"shop":"localhost"})");
    for (const auto* bad : {"",
                            "a/b",
                            "a@b",
                            "a#b",
                            "a?b",
                            "user:pw@a.example",
                            "a b",
                            "a.example:0",
                            "a.example:99999",
                            "a.example:",
                            "https://a.example",
                            "a..b",
                            "-a.example",
                            "a.example:80/x",
                            "a.example:8x",
                            "a.example:80@b",
                            "a.example%00",
                            "a\\\\b",
                            "%31",
                            "[::1",
                            "bücher.example"}) {
        CAPTURE(bad);
        CHECK(host(bad) == "shop:host_parsing");
    }
    const auto listed = with_input("{shop: {type: host, hosts: [\"*.shop.example\", a.example]}}");
    CHECK(check(*listed, R"({"shop":"x.shop.example"})") == R"({"shop":"x.shop.example"})");
    CHECK(check(*listed, R"({"shop":"a.example:99"})") == R"({"shop":"a.example:99"})");
    CHECK(check(*listed, R"({"shop":"shop.example"})") == "shop:host_not_allowed");
    CHECK(check(*listed, R"({"shop":"evilshop.example"})") == "shop:host_not_allowed");
}

TEST_CASE("origins are a scheme, a host and a port", "[unit][sources][input]") {
    const auto source = with_input("{shop: {type: origin}}");
    const auto origin = [&](const std::string& text) {
        return check(*source, "{\"shop\":\"" + text + "\"}");
    };
    CHECK(origin("http://127.0.0.1:4000") == R"({"shop":"http://127.0.0.1:4000"})");
    CHECK(origin("HTTPS://Shop.Example/") == R"({"shop":"https://shop.example"})");
    CHECK(origin("https://shop.example:443") == R"({"shop":"https://shop.example"})");
    for (const auto* bad : {"shop.example", "ftp://a.example", "http://", "http://a.example/path",
                            "http://a.example?x", "http://u@a.example", "http://a.example#x", "http:///x"}) {
        CAPTURE(bad);
        CHECK(origin(bad) == "shop:origin_parsing");
    }
}

TEST_CASE("urls are absolute http ones on the listed hosts", "[unit][sources][input]") {
    const auto source = with_input("{url: {type: url, hosts: [www.a.example]}}");
    CHECK(check(*source, R"({"url":"https://www.a.example/p?x=1#part"})") ==
          R"({"url":"https://www.a.example/p?x=1"})");
    CHECK(check(*source, R"({"url":"https://b.example/"})") == "url:host_not_allowed");
    CHECK(check(*source, R"({"url":"/p"})") == "url:url_parsing");
    CHECK(check(*source, R"-({"url":"javascript:alert(1)"})-") == "url:url_parsing");
    CHECK(check(*source, R"({"url":"https://u:p@www.a.example/"})") == "url:url_parsing");
}

TEST_CASE("the JSON Schema of the inputs says what is checked", "[unit][sources][input]") {
    const auto source =
        with_input("{shop: {type: host, about: \"Where\"}, days: {type: integer, enum: [7, 30], default: 7}, "
                   "q: {type: string, pattern: \"^a\", optional: true}}");
    json_document document;
    REQUIRE(document.parse(source->input_schema) == json_status::ok);
    const auto root = document.root();
    CHECK(root.member("type").raw() == "object");
    CHECK(root.member("additionalProperties").raw() == "false");
    CHECK(root.member("required").size() == 1);
    CHECK(root.member("required").element(0).raw() == "shop");
    const auto days = root.member("properties").member("days");
    CHECK(days.member("type").raw() == "integer");
    CHECK(days.member("default").raw() == "7");
    CHECK(days.member("enum").element(1).raw() == "30");
    CHECK(root.member("properties").member("shop").member("description").raw() == "Where");
    CHECK(root.member("properties").member("q").member("pattern").raw() == "^a");
}
