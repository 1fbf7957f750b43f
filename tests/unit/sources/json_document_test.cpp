#include "json_document.hpp"

#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace tiktrend::sources;
using namespace tiktrend::testing;

namespace {

json_status parse(json_document& document, std::string_view text) {
    return document.parse(text);
}

/// What the document reads as, written back.
std::string round_trip(std::string_view text) {
    json_document document;
    if (document.parse(text) != json_status::ok) return "refused: " + document.problem();
    std::string out;
    document.root().append_to(out);
    return out;
}

} // namespace

TEST_CASE("JSON text is read without loss and written back compact", "[unit][sources][json]") {
    for (const auto* text :
         {R"({"a":1,"b":[true,false,null,"x"],"c":{"d":{}}})", R"([])", R"({})", R"([[],[[]],{"a":[]}])",
          R"("alone")", "12", "-0", "1.50", "true", "null", R"({"":""})", R"(["a\nb"])"})
        CHECK(round_trip(text) == text);
    CHECK(round_trip(" { \"a\" : [ 1 , 2 ] } \n") == R"({"a":[1,2]})");
    CHECK(round_trip("[]  ") == "[]");
}

TEST_CASE("numbers keep their own digits", "[unit][sources][json]") {
    json_document document;
    REQUIRE(
        parse(document, R"({"id":123456789012345678901234567890,"price":24.990,"far":1e999,"half":0.1})") ==
        json_status::ok);
    CHECK(document.root().member("id").raw() == "123456789012345678901234567890");
    CHECK(document.root().member("price").raw() == "24.990");
    CHECK(document.root().member("far").raw() == "1e999");
    CHECK(document.root().member("half").raw() == "0.1");
}

TEST_CASE("a number of sixteen megabytes is one token", "[unit][sources][json]") {
    std::string text = "[" + std::string(16 << 20, '7') + "]";
    json_document document;
    REQUIRE(parse(document, text) == json_status::ok);
    CHECK(document.root().element(0).raw().size() == 16U << 20);
}

TEST_CASE("parser trap 6: malformed JSON is refused, wherever the mistake stands", "[unit][sources][json]") {
    const auto* text = GENERATE(
        R"({"id":0,})", "[1,]", "[1 2]", R"({"a" 1})", R"({"a":1 "b":2})", "[1", "{", "[", "]", "}",
        R"({"a":})", R"({a:1})", "[01]", "[1.]", "[.5]", "[+1]", "[-]", "[1e]", "[0x1]", "[nul]", "[truee]",
        "[tru]", "[NaN]", R"(["\x"])", R"(["\u12"])", R"(["\u12G4"])", R"(["abc)", "[] []", "[1]]",
        R"({"a":1}x)", "abc", "\"a\" \"b\"", "\"abc", "1 2", "[\"a\tb\"]", "'a'", "[1,,2]", "[,1]",
        R"({"a":1,,"b":2})", "<html></html>", "{\"a\":1}\x01", "[\x01]", "tru", "-", "{\"a\":[1}", "[{]}");
    CAPTURE(text);
    json_document document;
    CHECK(parse(document, text) == json_status::bad);
    CHECK_FALSE(document.problem().empty());
    CHECK_FALSE(document.root().exists());
}

TEST_CASE("a document may be nested to depth 128 and no deeper", "[unit][sources][json]") {
    json_document document;
    const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(parse(document, nested(128)) == json_status::ok);
    CHECK(parse(document, nested(129)) == json_status::bad);
    CHECK(document.problem() == "nested deeper than 128 levels");
    CHECK(parse(document, nested(100'000)) == json_status::bad);
    CHECK(parse(document, std::string(100'000, '[')) == json_status::bad);
    std::string objects;
    for (int i = 0; i < 129; ++i)
        objects += "{\"a\":";
    CHECK(parse(document, objects + "1" + std::string(129, '}')) == json_status::bad);
}

TEST_CASE("the first of two equal keys counts and the others are counted", "[unit][sources][json]") {
    json_document document;
    REQUIRE(parse(document, R"({"a":1,"b":2,"a":3,"c":{"x":1,"x":2,"x":3}})") == json_status::ok);
    CHECK(document.root().member("a").raw() == "1");
    CHECK(document.notes().duplicate_keys == 3);
    CHECK(round_trip(R"({"a":1,"b":2,"a":3})") == R"({"a":1,"b":2})");
}

TEST_CASE("duplicates in an object of many keys are counted once each", "[unit][sources][json]") {
    std::string text = "{";
    for (int i = 0; i < 500; ++i)
        text += "\"k" + std::to_string(i % 400) + "\":" + std::to_string(i) + ",";
    text += "\"last\":0}";
    json_document document;
    REQUIRE(parse(document, text) == json_status::ok);
    CHECK(document.notes().duplicate_keys == 100);
    CHECK(document.root().member("k7").raw() == "7");
}

TEST_CASE("escapes are understood and lone surrogates replaced and counted", "[unit][sources][json]") {
    json_document document;
    std::string scratch;
    REQUIRE(
        parse(
            document,
            R"(["\"\\\/\b\f\n\r\t","\u0041\u00e9\u20AC","\uD834\uDD1E","\uD834","x\uDD1Ey","\uD834\uD834\uDD1E"])") ==
        json_status::ok);
    const auto text = [&](int i) { return std::string{document.root().element(i).text(scratch)}; };
    CHECK(text(0) == "\"\\/\b\f\n\r\t");
    CHECK(text(1) == "Aé€");
    CHECK(text(2) == "\U0001D11E");
    CHECK(text(3) == "\uFFFD");
    CHECK(text(4) == "x\uFFFDy");
    CHECK(text(5) == "\uFFFD\U0001D11E");
    CHECK(document.notes().replaced_surrogates == 3);
}

TEST_CASE("keys with escapes are found by what they mean", "[unit][sources][json]") {
    json_document document;
    REQUIRE(parse(document, R"({"\u0061b":1,"a\/c":2})") == json_status::ok);
    CHECK(document.root().member("ab").raw() == "1");
    CHECK(document.root().member("a/c").raw() == "2");
    CHECK_FALSE(document.root().member("a").exists());
}

TEST_CASE("a byte-order mark is skipped and UTF-16 is converted", "[unit][sources][json]") {
    CHECK(round_trip("\xEF\xBB\xBF[1]") == "[1]");
    const std::string little{"\xFF\xFE[\0\"\0\xE9\0\"\0]\0", 12};
    CHECK(round_trip(little) == "[\"é\"]");
    const std::string big{"\xFE\xFF\0[\0\"\0\xE9\0\"\0]", 12};
    CHECK(round_trip(big) == "[\"é\"]");
}

TEST_CASE("bytes that are not UTF-8 are repaired", "[unit][sources][json]") {
    json_document document;
    REQUIRE(parse(document, "[\"caf\xE9\"]") == json_status::ok);
    std::string scratch;
    CHECK(document.root().element(0).text(scratch) == "caf\uFFFD");
    CHECK(document.notes().repaired_utf8);
    REQUIRE(parse(document, "[1]") == json_status::ok);
    CHECK_FALSE(document.notes().repaired_utf8);
}

TEST_CASE("U+0000 does not survive", "[unit][sources][json]") {
    CHECK(round_trip(R"(["a\u0000b"])") == R"(["ab"])");
}

TEST_CASE("blank text is empty, not bad", "[unit][sources][json]") {
    json_document document;
    CHECK(parse(document, "") == json_status::empty);
    CHECK(parse(document, " \r\n\t") == json_status::empty);
    CHECK(parse(document, "\xEF\xBB\xBF") == json_status::empty);
}

TEST_CASE("a body is parsed where it is", "[unit][sources][json]") {
    const std::string body = R"({"name":"in place"})";
    json_document document;
    REQUIRE(document.parse(body) == json_status::ok);
    const auto raw = document.root().member("name").raw();
    CHECK(raw == "in place");
    CHECK(raw.data() > body.data());
    CHECK(raw.data() < body.data() + body.size());
}

TEST_CASE("a hint finds the member of objects of one shape and does not mislead in others",
          "[unit][sources][json]") {
    json_document document;
    REQUIRE(
        parse(
            document,
            R"([{"a":{"x":0},"b":1},{"a":{"x":0},"b":2},{"b":3},{"a":[{"b":9}],"c":0},{"z":{"b":7},"b":4},"b"])") ==
        json_status::ok);
    std::uint32_t hint = 0;
    std::string found;
    document.root().each_value([&](json_node row) {
        found += row.member("b", hint).raw();
        found += ' ';
        return true;
    });
    CHECK(found == "1 2 3  4  ");
    REQUIRE(parse(document, R"([{"b":1,"b":2},{"a":0,"b":3,"b":4}])") == json_status::ok);
    hint = 3;
    CHECK(document.root().element(0).member("b", hint).raw() == "1");
    CHECK(document.root().element(1).member("b", hint).raw() == "3");
}

TEST_CASE("elements are counted from both ends", "[unit][sources][json]") {
    json_document document;
    REQUIRE(parse(document, R"([{"a":[1,2]},"b",3])") == json_status::ok);
    CHECK(document.root().size() == 3);
    CHECK(document.root().element(1).raw() == "b");
    CHECK(document.root().element(-1).raw() == "3");
    CHECK(document.root().element(-3).member("a").element(-1).raw() == "2");
    CHECK_FALSE(document.root().element(3).exists());
    CHECK_FALSE(document.root().element(-4).exists());
    CHECK_FALSE(json_node{}.member("a").exists());
}

TEST_CASE("the public JSON samples are accepted or refused as their names say",
          "[unit][sources][json][samples]") {
    const auto files = sample_files("json");
    if (files.empty()) {
        WARN("skipped: no ../shared/samples/json beside the repository");
        return;
    }
    for (const auto& file : files) {
        CAPTURE(file.name);
        json_document document;
        CHECK((parse(document, file.text) == json_status::ok) == (file.name.starts_with("y_")));
    }
}

TEST_CASE("a key that stands twice is noticed in any row of a list", "[unit][sources][json]") {
    const auto duplicates = [](std::string_view text) {
        json_document document;
        REQUIRE(document.parse(text) == json_status::ok);
        return document.notes().duplicate_keys;
    };
    CHECK(duplicates(R"([{"a":1,"b":2},{"a":1,"b":2},{"a":1,"b":2,"c":3}])") == 0);
    CHECK(duplicates(R"([{"a":1,"b":2},{"a":1,"a":2}])") == 1);
    CHECK(duplicates(R"([{"a":1,"b":2},{"a":1,"b":2,"a":3}])") == 1);
    CHECK(duplicates(R"([{"a":1,"b":2},{"b":1,"a":2,"b":3}])") == 1);
    CHECK(duplicates(R"([{"a":1,"a":2},{"a":1,"a":2},{"a":1}])") == 2);
    CHECK(duplicates(R"([{"a":{"x":1,"y":2},"b":2},{"a":{"x":1,"y":2,"x":3},"b":2,"b":4}])") == 2);
    CHECK(duplicates(R"([{"a":1},{},{"a":1,"a":2}])") == 1);
}
