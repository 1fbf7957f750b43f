#include "crawl/page_memory.hpp"

#include <tiktrend/sources/input.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;

namespace {

sources::definition_ptr shop(int version = 1) {
    const auto text = R"(
format: 1
id: t.shop
version: )" + std::to_string(version) +
                      R"(
kind: product
input:
  shop: {type: origin}
request: {url: "{{ input.shop }}/p", conditional: true}
documents: {body: {parse: json}}
records: {from: body, path: [p]}
key: [field:sku]
fields:
  sku: {path: [id], required: true}
  title: {path: [t], required: true}
)";
    auto made = sources::parse_definition("t.yaml", text);
    if (!made) FAIL(sources::to_string(made.error().front()));
    return *made;
}

sources::input_values inputs(const sources::definition& d, const char* json = R"({"shop":"http://a.test"})") {
    auto made = sources::validate_input(d, json);
    REQUIRE(made.has_value());
    return *made;
}

fetch::response page(std::vector<fetch::header> headers) {
    fetch::response r;
    r.status = 200;
    r.body = "{}";
    r.headers = std::move(headers);
    return r;
}

} // namespace

TEST_CASE("a page with a validator is remembered with what it held", "[unit][worker]") {
    const auto d = shop();
    const auto in = inputs(*d);
    auto memory =
        remember("http://a.test/p", page({{"etag", "\"1\""}, {"last-modified", "yesterday"}}), *d, in, 7);
    complete(memory, 42, true);
    const auto v = validators_of(memory, *d, in);
    REQUIRE(v.has_value());
    CHECK(v->etag == "\"1\"");
    CHECK(v->last_modified == "yesterday");
    CHECK(v->found == 42);
    CHECK(v->had_next);
}

TEST_CASE("a page without a validator, or with a huge one, is known by its body", "[unit][worker]") {
    const auto d = shop();
    const auto in = inputs(*d);
    for (const auto& headers :
         {std::vector<fetch::header>{}, std::vector<fetch::header>{{"etag", std::string(2000, 'x')}}}) {
        auto memory = remember("u", page(headers), *d, in, 7);
        complete(memory, 3, false);
        const auto v = validators_of(memory, *d, in);
        REQUIRE(v.has_value());
        CHECK(v->etag.empty());
        CHECK(is_same_body(remember("u", page({}), *d, in, 8), *v));
        auto other = page({});
        other.body = "{} ";
        CHECK_FALSE(is_same_body(remember("u", other, *d, in, 8), *v));
    }
}

TEST_CASE("what another version or other inputs read is of no use", "[unit][worker]") {
    const auto d = shop();
    const auto in = inputs(*d);
    auto memory = remember("u", page({{"etag", "\"1\""}}), *d, in, 7);
    complete(memory, 1, false);
    CHECK_FALSE(validators_of(memory, *d, in)->had_next);
    CHECK_FALSE(validators_of(memory, *shop(2), in).has_value());
    CHECK_FALSE(validators_of(memory, *d, inputs(*d, R"({"shop":"http://b.test"})")).has_value());
}
