#include "job_json.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;

TEST_CASE("times are RFC 3339 in UTC with milliseconds", "[unit][gateway]") {
    CHECK(gateway::rfc3339(0) == "1970-01-01T00:00:00.000Z");
    CHECK(gateway::rfc3339(1'795'453'798'223) == "2026-11-23T17:09:58.223Z");
}

TEST_CASE("a job shows its result only when completed, and its last failure always", "[unit][gateway]") {
    queue::job_record job;
    job.id = "7";
    job.name = "scrape_products";
    job.data = R"({"source":"demo.shop"})";
    job.progress = R"({"page":2})";
    job.return_value = R"({"products_found":3})";
    job.failed_reason = "said \"no\"";
    job.attempts = 3;
    const auto active = gateway::job_to_json(job, queue::job_state::active);
    CHECK(active.find(R"("state":"active","progress":{"page":2},"data":{"source":"demo.shop"})") !=
          std::string::npos);
    CHECK(active.find(R"("result":null,"failed_reason":"said \"no\"")") != std::string::npos);
    CHECK(active.find(R"("started_at":null)") != std::string::npos);
    const auto completed = gateway::job_to_json(job, queue::job_state::completed);
    CHECK(completed.find(R"("result":{"products_found":3})") != std::string::npos);
}
