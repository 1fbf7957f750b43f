#include "keys.hpp"

#include <tiktrend/queue/error.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

TEST_CASE("keys and connection names are those of every BullMQ client", "[unit][queue]") {
    const queue_keys k{"bull", "A"};
    CHECK(k.base() == "bull:A:");
    CHECK(k.meta() == "bull:A:meta");
    CHECK(k.job("7") == "bull:A:7");
    CHECK(k.logs("7") == "bull:A:7:logs");
    CHECK(k.state(job_state::waiting) == "bull:A:wait");
    CHECK(k.state(job_state::waiting_children) == "bull:A:waiting-children");
    CHECK_THROWS_AS(k.state(job_state::unknown), std::invalid_argument);
    CHECK(k.worker_connection("") == "bull:QQ==");
    CHECK(k.worker_connection("node-1") == "bull:QQ==:w:node-1");
    CHECK(k.events_connection() == "bull:QQ==:qe");
}

TEST_CASE("a queue name is not empty and has no colon", "[unit][queue]") {
    CHECK_THROWS_AS((queue_keys{"bull", ""}), input_error);
    CHECK_THROWS_AS((queue_keys{"bull", "a:b"}), input_error);
    CHECK_NOTHROW(queue_keys{"{bull}", "a"});
}

} // namespace
} // namespace tiktrend::queue
