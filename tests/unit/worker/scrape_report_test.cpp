#include "crawl/scrape_report.hpp"

#include <boost/json.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;
namespace json = boost::json;

TEST_CASE("the report adds up pages and says it all in JSON", "[unit][worker]") {
    scrape_report r;
    r.source = "t.shop";
    r.version = 3;
    sources::page_result page;
    page.outcome = sources::outcome::ok;
    page.statistics.rows = 10;
    page.statistics.valid = 8;
    page.statistics.fields = {{"title", 2, 0, {}}, {"price", 0, 1, {}}, {"url", 0, 0, {}}};
    r.add(page);
    r.add(page);
    r.totals.pages = 5;
    r.totals.products_found = 40;
    r.totals.products_changed = 4;
    r.end = "until";
    const auto out = json::parse(r.result_json(std::chrono::milliseconds{77})).as_object();
    CHECK(out.at("products_found") == 40);
    CHECK(out.at("products_changed") == 4);
    CHECK(out.at("pages") == 5);
    CHECK(out.at("rows") == 20);
    CHECK(out.at("invalid_rows") == 4);
    CHECK(out.at("end") == "until");
    CHECK(out.at("duration_ms") == 77);
    CHECK(out.at("outcomes").at("ok") == 2);
    CHECK(out.at("fields").at("title").at("missing") == 4);
    CHECK(out.at("fields").at("price").at("rejected") == 2);
    CHECK_FALSE(out.at("fields").as_object().contains("url"));
    CHECK(r.progress_json() == R"({"page":5,"pages":5,"products_found":40,"products_changed":4})");
}

TEST_CASE("the report says what was cut, mended and refused", "[unit][worker]") {
    scrape_report r;
    sources::page_result page;
    page.outcome = sources::outcome::ok;
    page.statistics.rows = page.statistics.valid = 9;
    page.statistics.duplicates = 2;
    page.statistics.over_limit = 3;
    page.statistics.notes = {4, 5, true, true};
    page.statistics.problems.assign(6, {1, "price", "\"free\" has no number"});
    r.add(page);
    r.add(page);
    const auto out = json::parse(r.result_json(std::chrono::milliseconds{1})).as_object();
    CHECK(out.at("duplicates") == 4);
    CHECK(out.at("over_limit") == 6);
    CHECK(json::serialize(out.at("mended")) ==
          R"({"duplicate_keys":8,"replaced_surrogates":10,"repaired_pages":2,"cut_pages":2})");
    CHECK(out.at("problems").as_array().size() == scrape_report::most_problems);
    CHECK(json::serialize(out.at("problems").at(0)) ==
          R"({"row":1,"field":"price","message":"\"free\" has no number"})");
}

TEST_CASE("the report says which alternative won, and what share was missing", "[unit][worker]") {
    scrape_report r;
    sources::page_result page;
    page.outcome = sources::outcome::ok;
    page.statistics.rows = 20;
    page.statistics.valid = 20;
    page.statistics.fields = {{"price", 5, 0, {3, 12}}, {"title", 0, 0, {20}}};
    r.add(page);
    const auto out = json::parse(r.result_json(std::chrono::milliseconds{1})).as_object();
    CHECK(out.at("fields").at("price").at("missing_share") == 0.25);
    CHECK(json::serialize(out.at("fields").at("price").at("won")) == "[3,12]");
    CHECK_FALSE(out.at("fields").as_object().contains("title"));
    const auto health = r.health();
    REQUIRE(health.size() == 3);
    CHECK(health[0].field == "price");
    CHECK(health[0].measure == "found");
    CHECK(health[0].share == 0.75);
    CHECK(health[1].measure == "first");
    CHECK(health[1].share == Approx(0.2));
    CHECK(health[2].share == 1);
    scrape_report few;
    page.statistics.rows = 3;
    few.add(page);
    CHECK(few.health().empty());
}
