#include <tiktrend/http/conditional.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::http;

TEST_CASE("a weak ETag follows the body", "[unit][http]") {
    const auto a = weak_etag("one"), b = weak_etag("two");
    CHECK(a == weak_etag("one"));
    CHECK(a != b);
    CHECK(a.substr(0, 3) == "W/\"");
    CHECK(a.size() == 3 + 32 + 1);
}

TEST_CASE("If-None-Match compares weakly", "[unit][http]") {
    CHECK(names_etag("\"a\"", "\"a\""));
    CHECK(names_etag("W/\"a\"", "\"a\""));
    CHECK(names_etag("\"a\"", "W/\"a\""));
    CHECK(names_etag("\"x\", W/\"a\" ,\"y\"", "W/\"a\""));
    CHECK(names_etag("\"x,y\",\"a\"", "\"a\""));
    CHECK(names_etag("*", "\"a\""));
    CHECK_FALSE(names_etag("", "\"a\""));
    CHECK_FALSE(names_etag("\"b\"", "\"a\""));
    CHECK_FALSE(names_etag("\"A\"", "\"a\""));
    CHECK_FALSE(names_etag("a", "\"a\""));
    CHECK_FALSE(names_etag("\"a", "\"a\""));
    CHECK_FALSE(names_etag("\"x,\"a\"", "\"b\""));
    CHECK_FALSE(names_etag("\"a\"", ""));
}

TEST_CASE("all If-None-Match fields of a request count", "[unit][http]") {
    request r;
    CHECK_FALSE(is_unmodified(r, "\"a\""));
    r.headers.add("If-None-Match", "\"b\"");
    CHECK_FALSE(is_unmodified(r, "\"a\""));
    r.headers.add("if-none-match", "\"a\"");
    CHECK(is_unmodified(r, "\"a\""));
}

TEST_CASE("304 keeps the fields that a cache needs", "[unit][http]") {
    auto full = response::json(200, "{}");
    full.headers.add("ETag", "\"a\"");
    full.headers.add("Cache-Control", "public, max-age=30");
    full.headers.add("Vary", "Accept-Encoding");
    full.headers.add("Content-Encoding", "gzip");
    const auto r = not_modified(full);
    CHECK(r.status == 304);
    CHECK(r.body.empty());
    CHECK(r.headers.get("ETag") == "\"a\"");
    CHECK(r.headers.get("Cache-Control") == "public, max-age=30");
    CHECK(r.headers.get("Vary") == "Accept-Encoding");
    CHECK_FALSE(r.headers.has("Content-Type"));
    CHECK_FALSE(r.headers.has("Content-Encoding"));
}
