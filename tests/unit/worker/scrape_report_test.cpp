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
