// Definitions that live in the database only: seen and startable over HTTP, on every thread of every gateway.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace tiktrend;
using namespace std::chrono_literals;
using e2e::text;
using testing::poll_until;

namespace {

/// The demo shop's definition under another id, with this text about it, in a file beside its fixtures.
std::filesystem::path write_copy(const testing::temp_dir& dir, const std::string& version,
                                 const std::string& about) {
    const std::filesystem::path sources =
        std::string{std::getenv("TIKTREND_SOURCE_DIR")} + "/apps/worker/sources";
    auto all = e2e::read_file(sources / "demo.shop.yaml");
    const auto replace = [&all](const std::string& from, const std::string& to) {
        REQUIRE(all.find(from) != std::string::npos);
        all.replace(all.find(from), from.size(), to);
    };
    replace("id: demo.shop", "id: demo.copy");
    replace("version: 1", "version: " + version);
    replace("The demo shop that comes with this project", about);
    const auto link = dir.path() / "fixtures";
    if (!std::filesystem::exists(link)) std::filesystem::create_directory_symlink(sources / "fixtures", link);
    const auto file = dir.path() / "demo.copy.yaml";
    std::ofstream{file} << all;
    return file;
}

} // namespace

TEST_CASE("a definition enabled in the database can be seen and started over HTTP", "[e2e][sources]") {
    e2e::stack::options o;
    o.gateway = {{"SOURCES_REFRESH", "100ms"}, {"GATEWAY_THREADS", "2"}};
    o.worker = {{"SOURCES_REFRESH", "1h"}}; // it asks when a job names what it does not know
    e2e::stack s{o};
    const testing::temp_dir dir;
    auto order = s.scrape_body();
    order.replace(order.find("demo.shop"), 9, "demo.copy");
    CHECK(s.api().get("/sources/demo.copy").status == 404);
    CHECK(s.api().post("/scraping/start", order).status == 422);
    const auto before = s.api().get("/sources");

    s.run_cli({"source", "enable", write_copy(dir, "1", "A first copy").string()});
    // Each request is a connection of its own, so both threads are asked before long.
    const auto everywhere = [&](const std::string& about) {
        int in_a_row = 0;
        return poll_until(
            [&] {
                const auto r = s.api().get("/sources/demo.copy");
                in_a_row = r.status == 200 && text(r.json(), "about") == about ? in_a_row + 1 : 0;
                return in_a_row == 20;
            },
            20s);
    };
    REQUIRE(everywhere("A first copy"));
    const auto list = s.api().get("/sources");
    CHECK(list.body.find("\"demo.copy\"") != std::string::npos);
    CHECK(list.header("etag") != before.header("etag"));
    const auto started = s.api().post("/scraping/start", order);
    REQUIRE(started.status == 202);
    CHECK(text(s.wait_for_job(text(started.json(), "job_id")).json(), "state") == "completed");
    CHECK(s.database().execute("e2e", "SELECT count(*) > 0 FROM products WHERE source = 'demo.copy'") == "t");
    // Its filters are checked like anybody's.
    const auto wrong = s.api().post("/scraping/start",
                                    R"({"source":"demo.copy","filters":{"shop":"nowhere","per_page":0}})");
    CHECK(wrong.status == 422);
    CHECK(wrong.body.find("\"per_page\"") != std::string::npos);
    const auto schedule = s.api().send("PUT", "/scraping/schedules/copy",
                                       order.substr(0, order.size() - 1) + R"(,"every":3600000})",
                                       {"Content-Type: application/json"});
    CHECK(schedule.status == 201);

    s.run_cli({"source", "enable", write_copy(dir, "2", "A second copy").string()});
    CHECK(everywhere("A second copy"));
    // A gateway that starts is not ready before it knows.
    const auto other = s.start_other_gateway();
    CHECK(e2e::http_client{other.url, s.api_key()}.get("/sources/demo.copy").status == 200);

    s.database().execute("e2e", "UPDATE source_definitions SET is_enabled = false");
    CHECK(poll_until([&] { return s.api().get("/sources/demo.copy").status == 404; }, 20s));
    // Without PostgreSQL the gateway goes on with what it has.
    s.database().kill();
    CHECK(s.api().get("/sources/demo.shop").status == 200);
}
