// What a visit to a page leaves behind, and whom it asks on its way.
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <mutex>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

/// Writes t.visit into the stack's folder of definitions; settings for a worker that reads it there.
environment with_definition(const worker_stack& stack, const std::string& sections) {
    const auto folder = stack.directory() / "sources";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "t.yaml"} << R"(
format: 1
id: t.visit
version: 1
kind: product
input: {shop: {type: origin}}
documents: {body: {parse: json}}
records: {from: body, path: [rows]}
key: [field:sku]
fields:
  sku: {path: [id], required: true}
  title: {path: [t], required: true}
  anything: [x]
)" << sections;
    return {{"SOURCES_DIR", folder.string()}};
}

worker_stack::job_order visit(const scripted_shop& shop, int attempts = 3) {
    worker_stack::job_order order;
    order.data = fmt::format(R"({{"source":"t.visit","filters":{{"shop":"{}"}}}})", shop.url(""));
    order.attempts = attempts;
    return order;
}

} // namespace

TEST_CASE("pages that link to each other are all looked at again, although the first has not changed",
          "[integration][worker][pages]") {
    std::atomic<int> edition{1};
    const auto page = [&edition](const http::request& r) {
        const auto n = std::max(1, std::atoi(parameter(r, "p").c_str()));
        const auto title = n == 2 ? "edition " + std::to_string(edition) : "as ever";
        const auto tag = fmt::format("\"{} {}\"", n, title);
        if (std::string{r.headers.get("If-None-Match")} == tag) {
            http::response unchanged;
            unchanged.status = 304;
            return unchanged;
        }
        const auto next = n < 3 ? fmt::format("\"/list?p={}\"", n + 1) : std::string{"null"};
        auto out = http::response::json(
            200, fmt::format(R"({{"rows":[{{"id":"p{}","t":"{}"}}],"next":{}}})", n, title, next));
        out.headers.add("ETag", tag);
        return out;
    };
    const scripted_shop shop{{{"/list", page}}};
    worker_stack stack;
    auto settings = with_definition(stack, R"(
politeness: {delay: 0s}
request: {url: "{{ input.shop }}/list", conditional: true}
pages: {by: link, next: [next]}
)");
    settings["FETCH_ALLOW"] = shop.host();
    const auto worker = stack.start_worker(settings);
    const auto first = stack.add(visit(shop));
    REQUIRE(stack.wait_for_state(first, "completed"));
    CHECK(stack.result(first).at("products_found") == 3);
    edition = 2;
    const auto second = stack.add(visit(shop));
    REQUIRE(stack.wait_for_state(second, "completed"));
    const auto result = stack.result(second);
    INFO(boost::json::serialize(result));
    CHECK(result.at("pages") == 3);
    CHECK(result.at("products_changed") == 1);
    CHECK(result.at("not_modified") == 2); // the first by its bytes, the last, which leads nowhere, by a 304
    CHECK(stack.sql("SELECT title FROM products WHERE external_id = 'p2'") == "edition 2");
}

TEST_CASE("a host that others redirect to is asked by its own rule, and its Retry-After is its own",
          "[integration][worker][politeness]") {
    std::mutex mutex;
    std::vector<std::chrono::steady_clock::time_point> asked;
    const scripted_shop target{{{"/rows", [&](const http::request&) {
                                     const std::lock_guard lock{mutex};
                                     asked.push_back(std::chrono::steady_clock::now());
                                     if (asked.size() > 1)
                                         return http::response::json(200, R"({"rows":[{"id":"1","t":"T"}]})");
                                     auto out = http::response::text(429, "slow down", "text/plain");
                                     out.headers.add("Retry-After", "2");
                                     return out;
                                 }}}};
    const auto to_target = [&target](const http::request&) {
        http::response out;
        out.status = 302;
        out.headers.add("Location", target.url("/rows"));
        return out;
    };
    const scripted_shop one{{{"/go", to_target}}};
    const scripted_shop two{{{"/go", to_target}}};
    worker_stack stack;
    auto settings = with_definition(stack, R"(
politeness: {delay: 300ms}
request: {url: "{{ input.shop }}/go"}
)");
    settings["FETCH_ALLOW"] = one.host() + ',' + two.host() + ',' + target.host();
    const auto by_one = stack.add(visit(one));
    const auto by_two = stack.add(visit(two));
    const auto worker = stack.start_worker(settings);
    REQUIRE(stack.wait_for_state(by_one, "completed"));
    REQUIRE(stack.wait_for_state(by_two, "completed"));
    const std::lock_guard lock{mutex};
    REQUIRE(asked.size() == 3);
    CHECK(asked[1] - asked[0] >= 1900ms); // whichever job asks
    CHECK(asked[2] - asked[1] >= 200ms);  // 300 ms less a fifth, less what answers take
}

TEST_CASE("a shop that only a proxy reaches is asked by it alone, for its robots.txt too",
          "[integration][worker][proxy]") {
    // What a proxy sees is a request for a whole address; this one answers by its path.
    std::atomic<int> robots{0};
    const scripted_shop proxy{{{"/robots.txt",
                                [&robots](const http::request&) {
                                    ++robots;
                                    return http::response::text(200, "User-agent: *\nDisallow: /no\n");
                                }},
                               {"/list", [](const http::request&) {
                                    return http::response::json(200, R"({"rows":[{"id":"1","t":"T"}]})");
                                }}}};
    worker_stack stack;
    auto settings = with_definition(stack, R"(
politeness: {delay: 0s}
request: {url: "{{ input.shop }}/list"}
)");
    settings["SOURCE_PROXIES"] =
        "t.visit=http://127.0.0.1:1 http://" + proxy.host(); // nobody listens at the first
    const auto worker = stack.start_worker(settings);
    worker_stack::job_order order;
    order.data = R"({"source":"t.visit","filters":{"shop":"http://shop.invalid"}})";
    for (int i = 0; i < 4; ++i) { // the jobs spread over both
        const auto id = stack.add(order);
        REQUIRE(stack.wait_for_state(id, "completed"));
        CHECK(stack.field(id, "atm") == "1");
    }
    CHECK(robots == 1);
}

TEST_CASE("bad input 42: a secret of an address is not what the database remembers of the page",
          "[integration][worker]") {
    const scripted_shop shop{{{"/list", [](const http::request& r) {
                                   if (!r.headers.get("If-None-Match").empty()) {
                                       http::response unchanged;
                                       unchanged.status = 304;
                                       return unchanged;
                                   }
                                   auto out = http::response::json(200, R"({"rows":[{"id":"1","t":"T"}]})");
                                   out.headers.add("ETag", "\"1\"");
                                   return out;
                               }}}};
    worker_stack stack;
    auto settings = with_definition(stack, R"(
politeness: {delay: 0s}
secrets: [token]
request: {url: "{{ input.shop }}/list", query: {key: "{{ secret.token }}"}, conditional: true}
)");
    settings["FETCH_ALLOW"] = shop.host();
    settings["SOURCE_SECRETS"] = "t.visit.token=hush-hush";
    const auto worker = stack.start_worker(settings);
    const auto first = stack.add(visit(shop));
    REQUIRE(stack.wait_for_state(first, "completed"));
    CHECK(shop.asked().at(0) == "/list?key=hush-hush");
    CHECK(stack.sql("SELECT url FROM page_cache") == shop.url("/list?key=***"));
    const auto second = stack.add(visit(shop));
    REQUIRE(stack.wait_for_state(second, "completed"));
    CHECK(stack.result(second).at("not_modified") == 1); // and it is found again
    CHECK(stack.log(1).find("hush-hush") == std::string::npos);
}

TEST_CASE("an answer that is no page is kept in the job's log, without secrets", "[integration][worker]") {
    const scripted_shop shop{
        {{"/list", [](const http::request& r) {
              return http::response::json(
                  200, fmt::format(R"({{"sorry":"no rows for {}"}})", std::string{r.headers.get("X-Key")}));
          }}}};
    worker_stack stack;
    auto settings = with_definition(stack, R"(
politeness: {delay: 0s, robots: {ignore: the shop is ours}}
secrets: [token]
request: {url: "{{ input.shop }}/list", headers: {x-key: "{{ secret.token }}"}}
outcomes: [{when: {missing: [rows]}, is: invalid, message: [sorry]}]
)");
    settings["FETCH_ALLOW"] = shop.host();
    settings["SOURCE_SECRETS"] = "t.visit.token=hush-hush";
    const auto worker = stack.start_worker(settings);
    const auto id = stack.add(visit(shop));
    REQUIRE(stack.wait_for_state(id, "failed"));
    CHECK(stack.field(id, "failedReason") == "invalid: no rows for *** (HTTP 200)");
    const auto rows = stack.queue_redis().command({"LRANGE", "bull:scraping:" + id + ":logs", "0", "-1"});
    CHECK(rows.starts_with(R"(page 1: HTTP 200, application/json)"));
    CHECK(rows.find(R"({"sorry":"no rows for ***"})") != std::string::npos);
    // Why robots.txt was not asked is told.
    CHECK(stack.log(1).find("robots_ignored") != std::string::npos);
    CHECK(stack.log(1).find("the shop is ours") != std::string::npos);
}

TEST_CASE("bad input 28: a number that no database keeps costs its field, not the page",
          "[integration][worker]") {
    const scripted_shop shop{
        {{"/list", [](const http::request&) {
              return http::response::json(
                  200, R"({"rows":[{"id":"1","t":"T","x":1e999999},{"id":"2","t":"T","x":5}]})");
          }}}};
    worker_stack stack;
    auto settings = with_definition(stack, R"(
politeness: {delay: 0s}
request: {url: "{{ input.shop }}/list"}
)");
    settings["FETCH_ALLOW"] = shop.host();
    const auto worker = stack.start_worker(settings);
    const auto id = stack.add(visit(shop, 1));
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(stack.sql("SELECT string_agg(coalesce(attributes->>'anything', '-'), ',' ORDER BY external_id) "
                    "FROM products") == "-,5");
    const auto problems = stack.result(id).at("problems").as_array();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].at("message") == "\"1e999999\" is out of range");
}
