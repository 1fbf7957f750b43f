// Every kind of pagination through the worker program, resumed in the middle.
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <fstream>
#include <thread>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

constexpr int pages = 4;
constexpr int per_page = 3;

std::string rows(int page) {
    std::string out;
    for (int i = 0; i < per_page; ++i)
        out += fmt::format(R"({}{{"id":"p{}-{}","t":"Product"}})", i ? "," : "", page, i);
    return '[' + out + ']';
}

int number(const std::string& text, int fallback) {
    return text.empty() ? fallback : std::stoi(text);
}

/// Page n of pages 1 … 4, with what each kind needs to find the next.
http::response list(int page, const std::string& next) {
    if (page < 1 || page > pages) return http::response::json(200, R"({"total":12,"rows":[]})");
    auto out = http::response::json(200, fmt::format(R"({{"total":12,"rows":{},"next":{}}})", rows(page),
                                                     page < pages ? '"' + next + '"' : "null"));
    if (page < pages) out.headers.add("Link", fmt::format("<{}>; rel=\"next\"", next));
    return out;
}

std::map<std::string, scripted_shop::answer> every_kind() {
    return {
        {"/number", [](const http::request& r) { return list(number(parameter(r, "page"), 1), "-"); }},
        {"/offset",
         [](const http::request& r) { return list(number(parameter(r, "from"), 0) / per_page + 1, "-"); }},
        {"/cursor",
         [](const http::request& r) {
             const auto page = number(parameter(r, "after"), 1);
             return list(page, std::to_string(page + 1));
         }},
        {"/link",
         [](const http::request& r) {
             const auto page = number(parameter(r, "p"), 1);
             return list(page, fmt::format("/link?p={}", page + 1));
         }},
        {"/header", [](const http::request& r) {
             const auto page = number(parameter(r, "p"), 1);
             return list(page, fmt::format("/header?p={}", page + 1));
         }}};
}

std::string definition(const std::string& id, const std::string& request, const std::string& paging) {
    return fmt::format(R"(
format: 1
id: t.{0}
version: 1
kind: product
input: {{shop: {{type: origin}}}}
politeness: {{delay: 0s}}
request: {{url: "{{{{ input.shop }}}}/{0}", {1}}}
pages: {2}
documents: {{body: {{parse: json}}}}
outcomes: [{{when: {{path: [rows], is: empty_array}}, is: empty}}]
records: {{from: body, path: [rows]}}
key: [field:sku]
fields:
  sku: {{path: [id], required: true}}
  title: {{path: [t], required: true}}
)",
                       id, request, paging);
}

void write_definitions(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    const auto write = [&](const std::string& id, const std::string& request, const std::string& paging) {
        std::ofstream{folder / (id + ".yaml")} << definition(id, request, paging);
    };
    write("number", R"(query: {page: "{{ page.number }}"})",
          "{by: number, until: {path: [rows], is: empty_array}}");
    write("offset", R"(query: {from: "{{ page.offset }}"})", "{by: offset, step: 3, total: [total]}");
    write("cursor", R"(query: {after: "{{ cursor }}"})", "{by: cursor, next: [next]}");
    write("link", "conditional: false", "{by: link, next: [next]}");
    write("header", "conditional: false", "{by: header}");
}

} // namespace

TEST_CASE("all five kinds of pagination reach the last page, and go on where a killed worker was",
          "[integration][worker][pages]") {
    const scripted_shop shop{every_kind()};
    worker_stack stack;
    write_definitions(stack.directory() / "sources");
    const environment settings{{"SOURCES_DIR", (stack.directory() / "sources").string()},
                               {"FETCH_ALLOW", shop.host()},
                               {"LOCK_DURATION", "500ms"},
                               {"STALLED_INTERVAL", "500ms"},
                               {"SCRAPE_MIN_DELAY", "150ms"}};
    for (const std::string kind : {"number", "offset", "cursor", "link", "header"}) {
        INFO(kind);
        worker_stack::job_order order;
        order.data = fmt::format(R"({{"source":"t.{}","filters":{{"shop":"{}"}}}})", kind, shop.url(""));
        const auto before = shop.asked().size();
        const auto id = stack.add(order);
        {
            auto first = stack.start_worker(settings);
            REQUIRE(testing::poll_until(
                [&] {
                    const auto at = stack.progress(id);
                    return at.contains("pages") && at.at("pages").as_int64() >= 2;
                },
                30s));
            first.kill();
        }
        const auto committed =
            std::stoi(stack.sql(fmt::format("SELECT max(pages) FROM scrape_runs WHERE job_id = '{}'", id)));
        const auto second = stack.start_worker(settings);
        REQUIRE(stack.wait_for_state(id, "completed"));
        const auto result = stack.result(id);
        INFO(boost::json::serialize(result));
        CHECK(result.at("products_found") == pages * per_page);
        CHECK(result.at("resumed_at").as_int64() >= committed);
        CHECK(stack.sql(fmt::format("SELECT count(*) FROM products WHERE source = 't.{}'", kind)) == "12");
        // What was committed is not asked for again; at most the page under way is.
        auto asked = shop.asked();
        asked.erase(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(before));
        std::map<std::string, int> times;
        int repeats = 0;
        for (const auto& target : asked)
            repeats += ++times[target] > 1;
        CHECK(repeats <= 1);
        CHECK(times.size() == (kind == "number" ? 5 : 4));
    }
}

TEST_CASE("the next page is asked for while the database works on this one, and none beyond it",
          "[integration][worker][pages]") {
    const scripted_shop shop{every_kind()};
    worker_stack stack;
    write_definitions(stack.directory() / "sources");
    auto worker = stack.start_worker({{"SOURCES_DIR", (stack.directory() / "sources").string()},
                                      {"FETCH_ALLOW", shop.host()},
                                      {"SCRAPE_MIN_DELAY", "300ms"}});
    worker_stack::job_order order;
    order.data = fmt::format(R"({{"source":"t.number","filters":{{"shop":"{}"}}}})", shop.url(""));
    const auto id = stack.add(order);
    // No page can be committed while this is held.
    std::thread holder{
        [&stack] { stack.sql("BEGIN; LOCK TABLE products IN EXCLUSIVE MODE; SELECT pg_sleep(5); COMMIT"); }};
    CHECK(testing::poll_until([&] {
        return stack.sql(
                   "SELECT count(*) FROM pg_locks WHERE relation = 'products'::regclass AND NOT granted") !=
               "0";
    }));
    const auto committed = std::stoul(
        stack.sql(fmt::format("SELECT coalesce(max(pages), 0) FROM scrape_runs WHERE job_id = '{}'", id)));
    CHECK(testing::poll_until([&] { return shop.asked().size() >= committed + 2; }, 4s));
    holder.join();
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(stack.result(id).at("requests") == 5);
    CHECK(shop.asked().size() == 5);
}
