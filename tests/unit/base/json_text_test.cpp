#include <tiktrend/base/json_text.hpp>

#include <catch2/catch.hpp>

#include <limits>

using namespace tiktrend;

namespace {
std::string quoted(std::string_view s) {
    std::string out;
    append_json_string(out, s);
    return out;
}
} // namespace

TEST_CASE("strings are escaped as RFC 8259 asks", "[unit][base]") {
    CHECK(quoted("plain") == R"("plain")");
    CHECK(quoted("a\"b\\c\n\t\r\x01") == R"("a\"b\\c\n\t\r\u0001")");
    CHECK(quoted("é😀") == "\"é😀\"");
}

TEST_CASE("what needs an escape is found at every place of a text", "[unit][base]") {
    for (std::size_t size = 1; size <= 20; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (int byte = 0; byte < 0x80; ++byte) {
                std::string text(size, 'x');
                text[at] = static_cast<char>(byte);
                const bool needs = byte < 0x20 || byte == '"' || byte == '\\';
                const auto out = quoted(text);
                CAPTURE(size, at, byte, out);
                REQUIRE((out.size() > size + 2) == needs);
                REQUIRE(out.substr(0, at + 1) == '"' + std::string(at, 'x'));
                REQUIRE(out.substr(out.size() - (size - at)) == std::string(size - at - 1, 'x') + '"');
            }
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD", "[unit][base]") {
    CHECK(quoted("a\xff"
                 "b") == "\"a\xEF\xBF\xBD"
                         "b\"");
    CHECK(quoted("\xC0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\""); // overlong
    CHECK_FALSE(is_valid_utf8("\xED\xA0\x80"));                  // surrogate
    CHECK_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));              // above U+10FFFF
    CHECK(is_valid_utf8("é😀"));
    CHECK(repair_utf8(std::string_view{"a\0b\xff", 4}) == "ab\xEF\xBF\xBD");
}

TEST_CASE("numbers read back as they were; what JSON lacks is null", "[unit][base]") {
    std::string out;
    append_json_number(out, 0.1);
    append_json_number(out, std::numeric_limits<double>::infinity());
    append_json_number(out, std::int64_t{-7});
    CHECK(out == "0.1null-7");
}
