// A thousand slow shops at once in one worker. Takes a minute: only with TIKTREND_LONG_TESTS=1.
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <mutex>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

constexpr int shops = 1000;
constexpr int pages = 10;

std::string address(int shop) {
    return fmt::format("127.1.{}.{}", shop / 250, shop % 250 + 1);
}

/// Most memory that a process has had, in MiB.
double peak_mib(pid_t pid) {
    std::ifstream status{fmt::format("/proc/{}/status", pid)};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    return 0;
}

void write_definition(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "t.yaml"} << R"(
format: 1
id: t.slow
version: 1
kind: product
input: {shop: {type: origin}}
politeness: {delay: 1s}
request: {url: "{{ input.shop }}/list", query: {page: "{{ page.number }}"}}
pages: {by: number, last: [pages]}
documents: {body: {parse: json}}
records: {from: body, path: [rows]}
key: [input:shop, field:sku]
fields:
  sku: {path: [id], required: true}
  title: {path: [t], required: true}
)";
}

} // namespace

TEST_CASE("one worker holds a thousand shops at one request a second each in 60 MB",
          "[integration][worker][long]") {
    const char* wanted = std::getenv("TIKTREND_LONG_TESTS");
    if (wanted == nullptr) {
        WARN("skipped: TIKTREND_LONG_TESTS is not set");
        return;
    }
    std::mutex mutex;
    std::map<std::string, std::chrono::steady_clock::time_point> last;
    auto closest = std::chrono::milliseconds{1h};
    const scripted_shop shop{
        {{"/list",
          [&](const http::request& r) {
              const std::lock_guard lock{mutex};
              const auto now = std::chrono::steady_clock::now();
              auto& before = last[std::string{r.headers.get("Host")}];
              if (before.time_since_epoch().count() != 0)
                  closest =
                      std::min(closest, std::chrono::duration_cast<std::chrono::milliseconds>(now - before));
              before = now;
              const auto page = parameter(r, "page");
              return http::response::json(
                  200, fmt::format(R"({{"pages":{},"rows":[{{"id":"{}","t":"T"}}]}})", pages, page));
          }}},
        "0.0.0.0"};
    worker_stack stack;
    write_definition(stack.directory() / "sources");
    const auto port = shop.host().substr(shop.host().find(':') + 1);
    for (int i = 0; i < shops; ++i) {
        worker_stack::job_order order;
        order.data =
            fmt::format(R"({{"source":"t.slow","filters":{{"shop":"http://{}:{}"}}}})", address(i), port);
        stack.add(order);
    }
    const auto started = std::chrono::steady_clock::now();
    auto worker = stack.start_worker({{"SOURCES_DIR", (stack.directory() / "sources").string()},
                                      {"FETCH_ALLOW", "127.0.0.0/8:" + port},
                                      {"FETCH_MAX_CONNECTIONS", "1000"},
                                      {"WORKER_CONCURRENCY", "1000"},
                                      {"TREND_REFRESH", "0s"},
                                      {"JOB_KEEP_COMPLETED", "2000"},
                                      {"LOG_LEVEL", "warn"}});
    REQUIRE(testing::poll_until(
        [&] {
            return stack.queue_redis().command({"ZCARD", "bull:scraping:completed"}) == std::to_string(shops);
        },
        240s));
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    const auto memory = peak_mib(worker.pid());
    WARN(fmt::format(
        "{} pages of {} shops in {:.0f} s, {:.1f} MiB at most, {} ms between two requests at least",
        shops * pages, shops, seconds, memory, closest.count()));
    CHECK(stack.sql("SELECT count(*) FROM products") == std::to_string(shops * pages));
    CHECK(memory <= 60);
    CHECK(closest >= 700ms); // 1 s less a fifth, less scheduling
    CHECK(seconds < 3 * pages);
}
