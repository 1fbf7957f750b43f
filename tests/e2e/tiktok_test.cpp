// POST /scraping/start {"source":"tiktok"}: the filters choose among the definitions, and what the site
// refuses is said in plain words. The site is a server of ours that answers in the recorded shapes.
#include "scripted_shop.hpp"
#include "stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using e2e::integer;
using e2e::text;
using worker_tests::parameter;
using worker_tests::scripted_shop;

namespace {

std::string fixture(const std::string& name) {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    const auto found =
        e2e::read_file(std::filesystem::path{root ? root : "."} / "apps/worker/sources/fixtures" / name);
    REQUIRE_FALSE(found.empty());
    return found;
}

http::response moved_to(const char* where) {
    auto r = http::response::text(302, "", "text/html");
    r.headers.set("Location", where);
    return r;
}

/// A site for each country: what the list of hashtags answers there.
http::response hashtags(const http::request& r) {
    const auto country = parameter(r, "country_code");
    if (country == "DE") return moved_to("http://ads.tiktok.com/i18n/login?redirect=x");
    if (country == "FR")
        return http::response::json(200, fixture("tiktok.creative_center.hashtags/no-permission.json"));
    if (country == "GB") return http::response::text(404, "", "text/plain");
    if (country == "IT") return http::response::text(200, "", "application/json");
    if (parameter(r, "page") != "1")
        return http::response::json(200, R"({"code":0,"data":{"list":[],"pagination":{"has_more":false}}})");
    return http::response::json(200, fixture("tiktok.creative_center.hashtags/page-2025.json"));
}

std::map<std::string, scripted_shop::answer> site() {
    const auto page = [](const char* name) {
        return [name](const http::request&) { return http::response::text(200, fixture(name), "text/html"); };
    };
    return {{"/creative_radar_api/v1/popular_trend/hashtag/list", hashtags},
            {"/shop/pdp/desk-lamp/1729384756102938475", page("tiktok.shop.product/page-2025.html")},
            {"/shop/pdp/challenge/2", page("tiktok.shop.product/challenge.html")},
            {"/shop/pdp/login/3",
             [](const http::request&) { return moved_to("http://www.tiktok.com/login?redirect_url=x"); }},
            {"/login", page("tiktok.shop.product/without-state.html")},
            {"/i18n/login", page("tiktok.shop.product/without-state.html")}};
}

e2e::stack::options options_for(const scripted_shop& shop, const std::string& secrets) {
    e2e::stack::options o;
    o.worker = {
        {"FETCH_ALLOW", shop.host()},
        {"FETCH_CONNECT_TO", "www.tiktok.com:80=" + shop.host() + ",ads.tiktok.com:80=" + shop.host()},
        {"PLAIN_HTTP_HOSTS", "www.tiktok.com,ads.tiktok.com"},
        {"BLOCKED_COOL_DOWN", "0s"},
        {"SOURCE_SECRETS", secrets}};
    return o;
}

/// The job of POST /scraping/start with these filters, at its end.
e2e::answer scrape(const e2e::stack& s, const std::string& filters) {
    const auto started = s.api().post("/scraping/start", R"({"source":"tiktok","filters":)" + filters + "}");
    INFO(started.body);
    REQUIRE(started.status == 202);
    return s.wait_for_job(text(started.json(), "job_id"));
}

std::string failure(const e2e::stack& s, const std::string& filters) {
    const auto job = scrape(s, filters);
    INFO(job.body);
    CHECK(text(job.json(), "state") == "failed");
    return text(job.json(), "failed_reason");
}

} // namespace

TEST_CASE("tiktok is scraped by the definition that the filters choose", "[e2e][tiktok]") {
    const scripted_shop shop{site()};
    e2e::stack s{options_for(shop, "tiktok.creative_center.hashtags.cookie=sessionid=of-the-operator")};

    const auto product =
        scrape(s, R"({"url":"https://www.tiktok.com/shop/pdp/desk-lamp/1729384756102938475"})");
    INFO(product.body);
    REQUIRE(text(product.json(), "state") == "completed");
    CHECK(text(product.json()["result"], "source") == "tiktok.shop.product");
    const auto lamps = s.api().get("/products?source=tiktok.shop.product");
    const auto lamp = *lamps.json()["items"].get_array().value().begin();
    CHECK(text(lamp, "title") == "Folding desk lamp");
    CHECK(text(lamp, "currency") == "USD");

    const auto trends = scrape(s, R"({"what":"hashtags","country":"US","days":7})");
    INFO(trends.body);
    REQUIRE(text(trends.json(), "state") == "completed");
    CHECK(text(trends.json()["result"], "source") == "tiktok.creative_center.hashtags");
    CHECK(integer(trends.json()["result"], "products_found") == 2);
    CHECK(s.database().execute("e2e",
                               "SELECT string_agg(kind || ' ' || external_id, ',' ORDER BY external_id) FROM "
                               "products WHERE source = 'tiktok.creative_center.hashtags'") ==
          "trend 700001/US/7,trend 700002/US/7");

    // What the site refuses is the job's failure, by its name and in words.
    CHECK(failure(s, R"({"country":"DE"})") ==
          "login_required: the page is for accounts that are logged in (HTTP 200)");
    CHECK(failure(s, R"({"country":"FR"})").starts_with("login_required: no permission"));
    CHECK(failure(s, R"({"country":"GB"})") == "retired: the address is gone (HTTP 404)");
    CHECK(failure(s, R"({"country":"IT"})").starts_with("blocked"));
    CHECK(failure(s, R"({"url":"https://www.tiktok.com/shop/pdp/login/3"})") ==
          "login_required: TikTok asks to log in (HTTP 200)");
    CHECK(failure(s, R"({"url":"https://www.tiktok.com/shop/pdp/challenge/2"})") ==
          "blocked: a challenge in place of the page (HTTP 200)");

    // What was withdrawn, and what no definition takes, is refused before there is a job.
    const auto withdrawn =
        s.api().post("/scraping/start", R"({"source":"tiktok","filters":{"what":"top_products"}})");
    CHECK(withdrawn.status == 422);
    CHECK(withdrawn.body.find("withdrawn by the site on 2026-06-09") != std::string::npos);
    for (const auto* filters : {R"({"what":"videos"})", R"({"url":"https://other.example/shop/pdp/x/1"})",
                                R"({"what":"product"})", R"({"country":"usa"})"}) {
        INFO(filters);
        CHECK(s.api()
                  .post("/scraping/start", std::string{R"({"source":"tiktok","filters":)"} + filters + "}")
                  .status == 422);
    }
}

TEST_CASE("without the operator's own account a scrape of tiktok's trends says that it needs one",
          "[e2e][tiktok]") {
    const scripted_shop shop{site()};
    e2e::stack s{options_for(shop, "")};
    const auto reason = failure(s, "{}");
    INFO(reason);
    CHECK(reason.starts_with("login_required: "));
    CHECK(reason.find("cookie") != std::string::npos);
    CHECK(shop.asked().empty()); // nothing was asked for that would be refused
}
