#include "iteration.hpp"

#include <boost/json.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

job_record job_with(std::string opts) {
    job_record job;
    job.id = "repeat:ev:1000";
    job.scheduler_id = "ev";
    job.opts = std::move(opts);
    return job;
}

TEST_CASE("the next job's options are the running one's, counted on", "[unit][queue]") {
    next_iteration next;
    const auto job = job_with(
        R"({"repeat":{"every":60000,"limit":5,"count":1,"offset":12},"timestamp":1,"priority":4,)"
        R"("removeOnComplete":true,"repeatJobKey":"ev","jobId":"repeat:ev:1","delay":7,"lifo":true,"own":{"x":[]}})");
    REQUIRE(plan_next_iteration(job, 5000, next) == iteration_verdict::create);
    CHECK(next.every_ms == 60'000);
    CHECK(next.priority == 4);
    CHECK(next.lifo);
    CHECK(next.opts.ends_with(R"("jobId":"repeat:ev:)"));
    const auto whole = boost::json::parse(next.opts + R"(65000","delay":1})").as_object();
    CHECK(whole.at("jobId") == "repeat:ev:65000");
    CHECK(whole.at("delay") == 1);
    CHECK(whole.at("timestamp") == 5000);
    CHECK(whole.at("repeat").at("count") == 2);
    CHECK(whole.at("repeat").at("offset") == 12);
    CHECK(whole.at("own") == boost::json::parse(R"({"x":[]})"));
    CHECK(whole.at("removeOnComplete") == true);
}

TEST_CASE("a scheduler's id is escaped", "[unit][queue]") {
    next_iteration next;
    auto job = job_with(R"({"repeat":{"every":1000,"count":1}})");
    job.id = "repeat:say \"hi\":1000";
    job.scheduler_id = "say \"hi\"";
    REQUIRE(plan_next_iteration(job, 5000, next) == iteration_verdict::create);
    CHECK(boost::json::parse(next.opts + R"(1","delay":1})").at("jobId") == "repeat:say \"hi\":1");
}

TEST_CASE("a limit and an end date end the scheduler", "[unit][queue]") {
    next_iteration next;
    CHECK(plan_next_iteration(job_with(R"({"repeat":{"every":1000,"limit":2,"count":2}})"), 1, next) ==
          iteration_verdict::ended);
    CHECK(plan_next_iteration(job_with(R"({"repeat":{"every":1000,"limit":2,"count":1}})"), 1, next) ==
          iteration_verdict::create);
    CHECK(plan_next_iteration(job_with(R"({"repeat":{"every":1000,"endDate":10}})"), 11, next) ==
          iteration_verdict::ended);
    CHECK(plan_next_iteration(job_with(R"({"repeat":{"every":1000,"endDate":10}})"), 10, next) ==
          iteration_verdict::create);
}

TEST_CASE("a pattern is due after now and after the job before", "[unit][queue]") {
    constexpr std::int64_t hour = 3'600'000;
    next_iteration next;
    const auto at = [&](std::string_view previous, std::string_view further, std::int64_t now) {
        const auto opts = R"({"repeat":{"pattern":"0 0 3 * * *","count":1)" + std::string{further} +
                          R"(},"prevMillis":)" + std::string{previous} + "}";
        return plan_next_iteration(job_with(opts), now, next);
    };
    REQUIRE(at("10800000", "", 3 * hour + 5) == iteration_verdict::create);
    CHECK(next.cron_ms == 27 * hour);
    CHECK(next.opts.find(R"("prevMillis":97200000)") != std::string::npos);
    REQUIRE(at("97200000", "", 3 * hour + 5) == iteration_verdict::create); // fetched early
    CHECK(next.cron_ms == 51 * hour);
    REQUIRE(at("10800000", R"(,"tz":"Asia/Tokyo")", 3 * hour + 5) == iteration_verdict::create);
    CHECK(next.cron_ms == 18 * hour);
    REQUIRE(at("0", R"(,"startDate":1000000000)", 1) == iteration_verdict::create);
    CHECK(next.cron_ms == 291 * hour);
    CHECK(at("10800000", R"(,"endDate":90000000)", 3 * hour) == iteration_verdict::ended);
}

TEST_CASE("a repeatable of an old version keeps the checksum of its ids and its pattern", "[unit][queue]") {
    next_iteration next;
    auto job = job_with(R"({"repeat":{"cron":"0 0 3 * * *","count":1,"offset":12}})");
    job.id = "repeat:0cc175b9c0f1b6a831c399e269772661:10800000";
    job.scheduler_id = "mail::::0 0 3 * * *";
    REQUIRE(plan_next_iteration(job, 10'800'005, next) == iteration_verdict::create);
    CHECK(next.cron_ms == 97'200'000);
    CHECK(next.offset_ms == 12);
    const auto whole = boost::json::parse(next.opts + R"(97200000","delay":1})").as_object();
    CHECK(whole.at("jobId") == "repeat:0cc175b9c0f1b6a831c399e269772661:97200000");
    CHECK(whole.at("repeat").at("pattern") == "0 0 3 * * *");
    CHECK_FALSE(whole.at("repeat").as_object().contains("cron"));
}

TEST_CASE("what cannot be continued is told apart", "[unit][queue]") {
    next_iteration next;
    CHECK(plan_next_iteration(job_with(R"({"repeat":{"pattern":"0 0 99 * * *"}})"), 1, next) ==
          iteration_verdict::unreadable);
    CHECK(next.why == "pattern \"0 0 99 * * *\": hour \"99\": a value is in 0-23");
    CHECK(plan_next_iteration(job_with(R"({"repeat":{"pattern":"0 0 3 * * *","tz":"No/Where"}})"), 1, next) ==
          iteration_verdict::unreadable);
    CHECK(next.why.find("No/Where") != std::string::npos);
    for (const char* opts : {"", "{", "[]", "{}", R"({"repeat":1})"})
        CHECK(plan_next_iteration(job_with(opts), 1, next) == iteration_verdict::unreadable);
}

} // namespace
} // namespace tiktrend::queue
