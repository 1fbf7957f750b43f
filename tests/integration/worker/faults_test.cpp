#include "worker_stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

void rule(const worker_stack& stack, const std::string& members) {
    stack.shop_post("/_control", R"({"path":"/api/products",)" + members + "}");
}

void check_complete(const worker_stack& stack, const std::string& id) {
    CHECK(stack.result(id).at("products_found") == 250);
    CHECK(stack.field(id, "atm") == "1");
    CHECK(stack.sql("SELECT count(*) FROM products") == "250");
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");
}

} // namespace

TEST_CASE("a 429 with a short Retry-After is waited for in place", "[integration][worker]") {
    worker_stack stack;
    rule(stack, R"("skip":1,"count":1,"kind":"status","status":429,"retry_after":1)");
    const auto worker = stack.start_worker();
    const auto start = std::chrono::steady_clock::now();
    const auto id = stack.add();
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(std::chrono::steady_clock::now() - start >= 1s);
    const auto result = stack.result(id);
    INFO(boost::json::serialize(result));
    CHECK(result.at("rate_limited") == 1);
    CHECK(result.at("requests") == 6);
    CHECK(stack.field(id, "ats") == "1");
    check_complete(stack, id);
}

TEST_CASE("a 429 with a long Retry-After delays the job without spending an attempt",
          "[integration][worker]") {
    worker_stack stack;
    rule(stack, R"("skip":1,"count":1,"kind":"status","status":429,"retry_after":3)");
    const auto worker = stack.start_worker({{"RATE_LIMIT_WAIT", "500ms"}});
    const auto id = stack.add();
    REQUIRE(stack.wait_for_state(id, "delayed"));
    CHECK(stack.field(id, "atm").empty());
    CHECK(stack.sql("SELECT status, pages FROM scrape_runs") == "interrupted|1");
    REQUIRE(stack.wait_for_state(id, "completed"));
    const auto result = stack.result(id);
    INFO(boost::json::serialize(result));
    CHECK(result.at("resumed_at") == 1);
    check_complete(stack, id);
}

TEST_CASE("a shop that stumbles a few times is asked again", "[integration][worker]") {
    const char* const faults[] = {
        R"("kind":"status","status":500)", R"("kind":"cut")",         R"("kind":"reset")",
        R"("kind":"truncated_gzip")",      R"("kind":"long_length")", R"("kind":"bad_json")"};
    worker_stack stack;
    const auto worker = stack.start_worker();
    for (const auto* fault : faults) {
        rule(stack, std::string{R"("skip":2,"count":2,)"} + fault);
        // Another page size each time, so that no page is answered with 304.
        static int per_page = 50;
        worker_stack::job_order order;
        order.data = R"({"source":"demo.shop","filters":{"shop":")" + stack.shop_url() + R"(","per_page":)" +
                     std::to_string(per_page++) + "}}";
        const auto id = stack.add(order);
        INFO(fault);
        REQUIRE(stack.wait_for_state(id, "completed"));
        const auto result = stack.result(id);
        INFO(boost::json::serialize(result));
        CHECK(result.at("retries") == 2);
        check_complete(stack, id);
    }
}

TEST_CASE("a shop that stays broken fails the attempts one by one, then the job", "[integration][worker]") {
    worker_stack stack;
    rule(stack, R"("skip":1,"count":1000,"kind":"status","status":503)");
    const auto worker = stack.start_worker();
    const auto id = stack.add();
    REQUIRE(stack.wait_for_state(id, "failed"));
    CHECK(stack.field(id, "atm") == "3");
    INFO(stack.field(id, "failedReason"));
    CHECK(stack.field(id, "failedReason").find("transient") == 0);
    CHECK(stack.field(id, "failedReason").find("4 tries") != std::string::npos);
    CHECK(stack.sql("SELECT count(*) FROM products") == "50"); // the first page is kept
    CHECK(stack.sql("SELECT count(*) FROM scrape_runs WHERE status = 'failed'") == "3");
}

TEST_CASE("answers that no retry can mend fail the job at once, with their name", "[integration][worker]") {
    struct row {
        const char* fault;
        const char* reason;
    };
    const row table[] = {
        {R"("kind":"gzip_bomb")", "body_too_large"},         {R"("kind":"huge")", "body_too_large"},
        {R"("kind":"redirect_loop")", "too_many_redirects"}, {R"("kind":"redirect")", "address_forbidden"},
        {R"("kind":"html")", "unexpected_content"},          {R"("kind":"empty")", "empty_body"},
        {R"("kind":"status","status":404)", "not_found"},
    };
    worker_stack stack;
    const auto worker = stack.start_worker({{"BLOCKED_COOL_DOWN", "0ms"}});
    for (const auto& r : table) {
        stack.shop_post("/_control/reset");
        rule(stack, std::string{R"("count":10,)"} + r.fault);
        const auto id = stack.add();
        INFO(r.fault);
        REQUIRE(stack.wait_for_state(id, "failed"));
        INFO(stack.field(id, "failedReason"));
        CHECK(stack.field(id, "failedReason").find(r.reason) == 0);
        CHECK(stack.field(id, "atm") == "1");
    }
    CHECK(stack.sql("SELECT count(*) FROM products") == "0");
}

TEST_CASE("slow and endless answers end by their limits", "[integration][worker]") {
    worker_stack stack;
    const auto worker = stack.start_worker(
        {{"FETCH_FIRST_BYTE_TIMEOUT", "300ms"}, {"FETCH_TOTAL_TIMEOUT", "1s"}, {"FETCH_TRIES", "1"}});
    for (const auto& [fault, reason] :
         {std::pair{R"("kind":"hang")", "timeout"}, {R"("kind":"endless")", "body_too_large"}}) {
        rule(stack, std::string{R"("count":1,)"} + fault);
        worker_stack::job_order order;
        order.attempts = 1;
        const auto id = stack.add(order);
        INFO(fault);
        REQUIRE(stack.wait_for_state(id, "failed"));
        INFO(stack.field(id, "failedReason"));
        CHECK((stack.field(id, "failedReason").find(reason) == 0 ||
               stack.field(id, "failedReason").find("timeout") == 0));
    }
}

TEST_CASE("a host that refused us is left alone by the other jobs too", "[integration][worker]") {
    worker_stack stack;
    rule(stack, R"("count":1,"kind":"empty")");
    const auto worker = stack.start_worker({{"BLOCKED_COOL_DOWN", "1h"}});
    const auto blocked = stack.add();
    REQUIRE(stack.wait_for_state(blocked, "failed"));
    const auto next = stack.add();
    REQUIRE(stack.wait_for_state(next, "delayed"));
    CHECK(stack.field(next, "atm").empty());
    CHECK(stack.shop_get("/_control/stats").find(R"("/api/products":1)") != std::string::npos);
}
