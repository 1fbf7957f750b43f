#include <tiktrend/base/log.hpp>

#include <catch2/catch.hpp>

#include <vector>

using namespace tiktrend;

TEST_CASE("a log line is one JSON object with typed members", "[unit][base]") {
    std::vector<std::string> lines;
    const auto log = logger::to_sink(log_level::info, [&](std::string_view l) { lines.emplace_back(l); });
    log.debug("hidden");
    log.with("queue", "scraping")
        .info("job_completed", {{"job_id", "7"}, {"n", 3}, {"ok", true}, {"share", 0.5}});
    REQUIRE(lines.size() == 1);
    CHECK(
        lines[0].substr(lines[0].find(R"(,"level")")) ==
        R"(,"level":"info","event":"job_completed","queue":"scraping","job_id":"7","n":3,"ok":true,"share":0.5})");
    CHECK(lines[0].starts_with(R"({"ts":"20)"));
}

TEST_CASE("a default logger drops everything", "[unit][base]") {
    CHECK_FALSE(logger{}.enabled(log_level::error));
    logger{}.error("nothing happens");
}
