// tiktrend source try and record on pages that a server gives.
#include "run_tiktrend.hpp"
#include "scripted_shop.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace tiktrend;
using namespace tiktrend::testing;
using worker_tests::scripted_shop;
namespace fs = std::filesystem;

namespace {

const std::string tea = R"(format: 1
id: tea.shop
kind: product
input: {shop: {type: origin}}
request: {url: "{{ input.shop }}/list"}
documents: {body: {parse: json}}
records: {from: body, path: [items]}
key: [field:number]
fields:
  number: {path: [id], type: text, required: true}
  title: {any_of: [[label], [name]], required: true}
  price: {path: [cost], currency: EUR}
)";

const std::string two_teas =
    R"({"items":[{"id":1,"name":"Sencha","cost":"7,50 €"},{"id":2,"label":"Oolong","cost":"call us"}]})";

http::response product_page(const http::request&) {
    return http::response::text(200,
                                R"(<html><head><title>Mug</title><script type="application/ld+json">
{"@type":"Product","name":"Enamel mug","sku":"M-1","offers":{"price":"12.90","priceCurrency":"EUR"}}</script></head>
<body><h1>Enamel mug</h1></body></html>)",
                                "text/html; charset=utf-8");
}

std::string shipped(const std::string& name) {
    const auto* root = std::getenv("TIKTREND_SOURCE_DIR");
    return (fs::path{root != nullptr ? root : "."} / "apps/worker/sources" / name).string();
}

std::string text_of(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

TEST_CASE("try asks a shop for a page and shows what each field got, without storing anything",
          "[integration][tiktrend]") {
    const scripted_shop shop{{{"/p/1", product_page}}};
    const auto found =
        run_tiktrend({"source", "try", shipped("generic.product_page.yaml"), "--url", shop.url("/p/1"),
                      "--allow", shop.host(), "--contact", "me@example.com"});
    INFO(found.output);
    CHECK(found.status == 0);
    CHECK_THAT(found.output, Catch::Contains("asking GET " + shop.url("/p/1")));
    CHECK_THAT(found.output, Catch::Contains("HTTP 200, "));
    CHECK_THAT(found.output, Catch::Contains("outcome ok"));
    CHECK_THAT(found.output, Catch::Contains("1 × from ld: offers > * > price"));
    CHECK_THAT(found.output, Catch::Contains(R"("title":"Enamel mug")"));
    CHECK_THAT(found.output, Catch::Contains(R"("price":"12.90")"));
    CHECK(shop.asked() == std::vector<std::string>{"/p/1"});

    const auto gone = run_tiktrend({"source", "try", shipped("generic.product_page.yaml"), "--url",
                                    shop.url("/p/2"), "--allow", shop.host()});
    CHECK(gone.status == 1);
    CHECK_THAT(gone.output, Catch::Contains("outcome not_found (HTTP 404)"));
    CHECK(run_tiktrend({"source", "try", shipped("generic.product_page.yaml"), "--url", shop.url("/p/1"),
                        "--allow", shop.host(), "--contact", "nobody"})
              .status == 2);
}

TEST_CASE("record keeps what a shop answers, and the test that it prints passes", "[integration][tiktrend]") {
    const scripted_shop shop{
        {{"/list", [](const http::request&) { return http::response::json(200, two_teas); }}}};
    const temp_dir dir;
    const auto file = dir.path() / "tea.yaml";
    std::ofstream{file} << tea;
    const auto recorded = run_tiktrend({"source", "record", file.string(), "--name", "two.json", "--input",
                                        "shop=" + shop.url(""), "--allow", shop.host()});
    INFO(recorded.output);
    REQUIRE(recorded.status == 0);
    CHECK(text_of(dir.path() / "fixtures/tea.shop/two.json") == two_teas);

    // What is printed goes into the definition as it is.
    const auto from = recorded.output.find("  - response: fixtures/tea.shop/two.json");
    REQUIRE(from != std::string::npos);
    std::ofstream{file} << tea << "tests:\n" << recorded.output.substr(from);
    const auto passed = run_tiktrend({"source", "test", file.string()});
    INFO(passed.output);
    CHECK(passed.status == 0);
    CHECK_THAT(passed.output, Catch::Contains("ok fixtures/tea.shop/two.json"));

    // And fails when the definition no longer reads the page.
    std::ofstream{dir.path() / "fixtures/tea.shop/two.json"}
        << R"({"items":[{"id":1,"name":"Bancha","cost":"7,50"}]})";
    const auto failed = run_tiktrend({"source", "test", file.string()});
    CHECK(failed.status == 1);
    CHECK_THAT(failed.output, Catch::Contains("expected \"Sencha\", found \"Bancha\""));

    CHECK(run_tiktrend({"source", "record", file.string(), "--name", "../x.json", "--input",
                        "shop=" + shop.url(""), "--allow", shop.host()})
              .status == 2);
}
