#include "product_request.hpp"

#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/query.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::read_product_request;

namespace {
const gateway::cursor_signer signer{"0123456789abcdef"};

gateway::product_request read(const std::string& query) {
    http::request r;
    r.set_target("/products?" + query);
    return read_product_request(r, signer);
}

int status_of(const std::string& query) {
    try {
        read(query);
        return 200;
    } catch (const http::problem& p) {
        return p.status();
    }
}
} // namespace

TEST_CASE("all spellings of one question have one canonical text", "[unit][gateway]") {
    const auto a = read("price_min=10.50&source=demo.shop&sort=price");
    CHECK(a.canonical == "source=demo.shop&price_min=10.5&sort=price&order=asc&limit=20");
    CHECK(read("sort=price&source=demo%2Eshop&price_min=010.5&limit=20&order=asc").canonical == a.canonical);
    CHECK(read("source=a%26sort%3Dx").canonical.find("source=a%26sort%3Dx") == 0);
    CHECK(read("").query.descending);
    CHECK_FALSE(a.query.descending);
}

TEST_CASE("a canonical text is a query that asks the same", "[unit][gateway]") {
    std::vector<std::string> texts{"caf\u00e9", "\u65e5\u672c", "a  b", "</products>; rel=\"next\"",
                                   "100%25"};
    for (char c = ' '; c < 0x7f; ++c)
        texts.emplace_back(2, c);
    for (const auto& text : texts) {
        CAPTURE(text);
        const auto first =
            read("sort=price&q=" + http::percent_encode(text) + "&source=" + http::percent_encode(text));
        CHECK(first.canonical.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%&=_") ==
              std::string::npos);
        const auto cursor = gateway::make_cursor(signer, first, catalog::keyset{"19.90", 1});
        const auto second = read(first.canonical + "&cursor=" + cursor);
        CHECK(second.query.text == text);
        CHECK(second.query.source == text);
        CHECK(second.canonical == first.canonical);
    }
}

TEST_CASE("control characters are refused", "[unit][gateway]") {
    for (const auto* code : {"%0A", "%0d", "%01", "%1F", "%7F", "%09"})
        CHECK(status_of("q=a" + std::string{code} + "b") == 422);
}

TEST_CASE("wrong parameters are 422, broken encoding is 400", "[unit][gateway]") {
    CHECK(status_of("limit=0") == 422);
    CHECK(status_of("limit=101") == 422);
    CHECK(status_of("limit=ten") == 422);
    CHECK(status_of("limit=1&limit=2") == 422);
    CHECK(status_of("colour=red") == 422);
    CHECK(status_of("price_min=-1") == 422);
    CHECK(status_of("price_min=1e3") == 422);
    CHECK(status_of("price_min=20&price_max=3") == 422);
    CHECK(status_of("price_min=3&price_max=20") == 200);
    CHECK(status_of("currency=eur") == 422);
    CHECK(status_of("trending=maybe") == 422);
    CHECK(status_of("sort=name") == 422);
    CHECK(status_of("cursor=abc") == 422);
    CHECK(status_of("source=%zz") == 400);
    CHECK(status_of("source=%ff") == 400);
}

TEST_CASE("a cursor belongs to its list", "[unit][gateway]") {
    const auto first = read("sort=price&limit=5");
    const auto cursor = gateway::make_cursor(signer, first, catalog::keyset{"19.90", 42});
    const auto second = read("sort=price&limit=5&cursor=" + cursor);
    REQUIRE(second.query.after);
    CHECK(second.query.after->id == 42);
    CHECK(second.query.after->value == "19.90");
    CHECK(status_of("sort=price&limit=6&cursor=" + cursor) == 422);
    CHECK(status_of("sort=rating&limit=5&cursor=" + cursor) == 422);
}
