#include "header_block.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;

namespace {
std::string text_of(header_block& block) {
    std::string out;
    for (const auto& h : block.take())
        out += h.name + "=" + h.value + ";";
    return out;
}
void add(header_block& block, std::initializer_list<const char*> lines) {
    for (const auto* l : lines)
        REQUIRE(block.add_line(l));
}
} // namespace

TEST_CASE("header fields keep their order, with names in lower case and values trimmed", "[unit][fetch]") {
    header_block block{1000};
    add(block, {"HTTP/1.1 200 OK\r\n", "Content-Type:  text/html \r\n", "X-A: 1\r\n", "x-a: 2\r\n", "\r\n"});
    CHECK(block.joined("x-a") == "1, 2");
    CHECK(text_of(block) == "content-type=text/html;x-a=1;x-a=2;");
}

TEST_CASE("interim responses and trailers leave no trace", "[unit][fetch]") {
    header_block block{1000};
    add(block, {"HTTP/1.1 103 Early Hints\r\n", "Link: </a>\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "A: 1\r\n",
                "\r\n", "Trailer: 2\r\n"});
    CHECK(text_of(block) == "a=1;");
}

TEST_CASE("folded and broken lines do no harm", "[unit][fetch]") {
    header_block block{1000};
    add(block, {"HTTP/1.1 200 OK\r\n", " early fold\r\n", "A: 1\r\n", "\t2\r\n", "no colon\r\n",
                ": no name\r\n", "\r\n"});
    CHECK(text_of(block) == "a=1 2;");
}

TEST_CASE("bad input 22: a block over the limit is refused", "[unit][fetch]") {
    header_block block{64};
    CHECK(block.add_line("HTTP/1.1 200 OK\r\n"));
    CHECK_FALSE(block.add_line("A: " + std::string(64, 'x') + "\r\n"));
}
