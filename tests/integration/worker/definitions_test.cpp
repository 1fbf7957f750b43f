// Definitions from the database, over those of the program; links that become jobs.
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <tiktrend/testing/compressed.hpp>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <mutex>
#include <set>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

std::string shelf(int version, const std::string& title) {
    return fmt::format(R"(
format: 1
id: t.shelf
version: {}
kind: product
input: {{shop: {{type: origin}}}}
politeness: {{delay: 0s}}
request: {{url: "{{{{ input.shop }}}}/shelf"}}
documents: {{body: {{parse: json}}}}
records: {{from: body, path: [rows]}}
key: [field:sku]
fields:
  sku: {{path: [id], required: true}}
  title: {{path: [{}], required: true}}
)",
                       version, title);
}

void enable(const worker_stack& stack, const std::string& id, int version, const std::string& text) {
    stack.sql(fmt::format("INSERT INTO source_definitions (id, version, definition, enabled_at) VALUES "
                          "('{}', {}, $d${}$d$, clock_timestamp())",
                          id, version, text));
}

http::response page_of_product(const std::string& name) {
    return http::response::text(
        200,
        fmt::format(R"(<html><head><title>{0}</title><script type="application/ld+json">
{{"@type":"Product","name":"{0}","sku":"{0}","offers":{{"price":"19.90","priceCurrency":"EUR"}}}}</script></head>
<body><h1>{0}</h1></body></html>)",
                    name),
        "text/html; charset=utf-8");
}

/// A sitemap ("urlset", "url") or an index of them ("sitemapindex", "sitemap").
std::string sitemap(const std::string& kind, const std::string& entry, const std::vector<std::string>& urls) {
    auto out =
        fmt::format(R"(<?xml version="1.0"?><{} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">)", kind);
    for (const auto& url : urls)
        out += fmt::format("<{0}><loc>{1}</loc></{0}>", entry, url);
    return fmt::format("{}</{}>", out, kind);
}

} // namespace

TEST_CASE("a definition enabled in the database runs at once, and a newer version after it",
          "[integration][worker][definitions]") {
    const scripted_shop shop{{{"/shelf", [](const http::request&) {
                                   return http::response::json(
                                       200, R"({"rows":[{"id":"1","old":"Old","new":"New"}]})");
                               }}}};
    worker_stack stack;
    const auto worker = stack.start_worker({{"FETCH_ALLOW", shop.host()}, {"SOURCES_REFRESH", "100ms"}});
    worker_stack::job_order order;
    order.data = fmt::format(R"({{"source":"t.shelf","filters":{{"shop":"{}"}}}})", shop.url(""));
    const auto unknown = stack.add(order);
    REQUIRE(stack.wait_for_state(unknown, "failed"));
    CHECK(stack.field(unknown, "failedReason") == "data.source: unknown source \"t.shelf\"");

    enable(stack, "t.shelf", 1, shelf(1, "old"));
    enable(stack, "t.broken", 1, "format: 1\nid: t.broken\nkind: nonsense\n");
    const auto first = stack.add(order);
    REQUIRE(stack.wait_for_state(first, "completed"));
    CHECK(stack.result(first).at("version") == 1);
    CHECK(stack.sql("SELECT title FROM products WHERE source = 't.shelf'") == "Old");

    enable(stack, "t.shelf", 2, shelf(2, "new"));
    REQUIRE(testing::poll_until(
        [&] { return stack.log(1).find(R"("source":"t.shelf","version":2)") != std::string::npos; }, 30s));
    const auto second = stack.add(order);
    REQUIRE(stack.wait_for_state(second, "completed"));
    CHECK(stack.result(second).at("version") == 2);
    CHECK(stack.sql("SELECT title FROM products WHERE source = 't.shelf'") == "New");
    CHECK(stack.log(1).find("definition_refused") != std::string::npos); // t.broken, and nothing else suffers

    stack.sql("UPDATE source_definitions SET is_enabled = false WHERE id = 't.shelf'");
    CHECK(testing::poll_until(
        [&] {
            const auto id = stack.add(order);
            return testing::poll_until([&] { return stack.state(id) == "failed"; }, 500ms);
        },
        30s));
}

TEST_CASE("what an address must look like holds for the sitemaps of an index too",
          "[integration][worker][sitemap]") {
    std::string origin;
    const scripted_shop shop{
        {{"/sitemap.xml",
          [&](const http::request&) {
              return http::response::text(200, sitemap("sitemapindex", "sitemap", {origin + "/one.xml"}),
                                          "application/xml");
          }},
         {"/one.xml",
          [&](const http::request&) {
              return http::response::text(
                  200, sitemap("urlset", "url", {origin + "/about", origin + "/p/a", origin + "/blog/p"}),
                  "application/xml");
          }},
         {"/p/a", [](const http::request&) { return page_of_product("a"); }}}};
    origin = shop.url("");
    worker_stack stack;
    const auto worker = stack.start_worker({{"FETCH_ALLOW", shop.host()}, {"WORKER_CONCURRENCY", "1"}});
    worker_stack::job_order order;
    order.data = fmt::format(
        R"({{"source":"generic.sitemap","filters":{{"url":"{}/sitemap.xml","pages":"*/p/*"}}}})", origin);
    const auto id = stack.add(order);
    REQUIRE(stack.wait_for_state(id, "completed"));
    REQUIRE(testing::poll_until([&] { return stack.sql("SELECT count(*) FROM products") == "1"; }, 60s));
    CHECK(stack.sql("SELECT count(*) FROM scrape_runs") == "3"); // the index, the sitemap, the one page
    CHECK(shop.asked() == std::vector<std::string>{"/sitemap.xml", "/one.xml", "/p/a"});
}

TEST_CASE("a sitemap index leads to its sitemaps, and they to a job for each page of a product",
          "[integration][worker][sitemap]") {
    std::string origin;
    const auto map = [&origin](const char* kind, const char* entry, std::vector<std::string> paths) {
        for (auto& path : paths)
            path.insert(0, origin);
        return http::response::text(200, sitemap(kind, entry, paths), "application/xml");
    };
    const scripted_shop shop{
        {{"/sitemap.xml",
          [&](const http::request&) {
              return map("sitemapindex", "sitemap", {"/one.xml", "/two.xml", "/sitemap.xml"});
          }},
         {"/one.xml", [&](const http::request&) { return map("urlset", "url", {"/p/a", "/p/b"}); }},
         {"/two.xml", [&](const http::request&) { return map("urlset", "url", {"/p/b", "/p/c"}); }},
         {"/p/a", [](const http::request&) { return page_of_product("a"); }},
         {"/p/b", [](const http::request&) { return page_of_product("b"); }},
         {"/p/c", [](const http::request&) { return page_of_product("c"); }}}};
    origin = shop.url("");
    worker_stack stack;
    const auto worker = stack.start_worker({{"FETCH_ALLOW", shop.host()}});
    worker_stack::job_order order;
    order.data = fmt::format(
        R"({{"source":"generic.sitemap","filters":{{"url":"{}/sitemap.xml"}},"owner":"user:1"}})", origin);
    const auto id = stack.add(order);
    REQUIRE(stack.wait_for_state(id, "completed"));
    INFO(boost::json::serialize(stack.result(id)));
    CHECK(stack.result(id).at("links_followed") == 3);
    REQUIRE(testing::poll_until([&] { return stack.sql("SELECT count(*) FROM products") == "3"; }, 90s));
    CHECK(stack.sql("SELECT string_agg(title || ' ' || price_min, ',' ORDER BY title) FROM products") ==
          "a 19.90,b 19.90,c 19.90");
    // /p/b stands in two sitemaps and is asked for once; the index names itself and is read once more.
    std::map<std::string, int> times;
    for (const auto& target : shop.asked())
        ++times[target];
    CHECK(times["/p/b"] == 1);
    CHECK(times["/sitemap.xml"] == 2);
}

TEST_CASE(
    "a gzipped sitemap index with gzipped sitemaps is read like any other, with the contact in each request",
    "[integration][worker][sitemap]") {
    std::string origin;
    std::mutex mutex;
    std::set<std::string> agents;
    const auto packed = [&](const http::request& r, const std::string& text, const char* type) {
        const std::lock_guard lock{mutex};
        agents.insert(std::string{r.headers.get("User-Agent")});
        return http::response::text(200, testing::compressed(text), type); // a file, so no Content-Encoding
    };
    const scripted_shop shop{
        {{"/sitemap.xml.gz",
          [&](const http::request& r) {
              return packed(r, sitemap("sitemapindex", "sitemap", {origin + "/one.xml.gz", origin + "/two"}),
                            "application/x-gzip");
          }},
         {"/one.xml.gz",
          [&](const http::request& r) {
              return packed(r, sitemap("urlset", "url", {origin + "/p/a", origin + "/about"}),
                            "application/gzip");
          }},
         {"/two",
          [&](const http::request& r) {
              return packed(r, sitemap("urlset", "url", {origin + "/p/b"}), "application/octet-stream");
          }},
         {"/p/a", [](const http::request&) { return page_of_product("a"); }},
         {"/p/b", [](const http::request&) { return page_of_product("b"); }}}};
    origin = shop.url("");
    worker_stack stack;
    const auto worker =
        stack.start_worker({{"FETCH_ALLOW", shop.host()}, {"CONTACT", "https://example.com/bot"}});
    worker_stack::job_order order;
    order.data = fmt::format(
        R"({{"source":"generic.sitemap","filters":{{"url":"{}/sitemap.xml.gz","pages":"*/p/*"}}}})", origin);
    const auto id = stack.add(order);
    REQUIRE(stack.wait_for_state(id, "completed"));
    REQUIRE(testing::poll_until([&] { return stack.sql("SELECT count(*) FROM products") == "2"; }, 90s));
    CHECK(stack.sql("SELECT string_agg(title, ',' ORDER BY title) FROM products") == "a,b");
    for (const auto& target : shop.asked())
        CHECK(target != "/about");
    CHECK(stack.log(1).find("no_contact") == std::string::npos);
    const std::lock_guard lock{mutex};
    CHECK(agents == std::set<std::string>{"TikTrendBot/0.1 (+https://example.com/bot)"});
}
