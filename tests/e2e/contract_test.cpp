// docs/openapi.yaml against a running gateway: tests/contract drives it with Node.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace tiktrend;

namespace {

e2e::stack& shared() {
    static e2e::stack s{[] {
        e2e::stack::options o;
        for (const char* name : {"READ", "SCRAPE", "JOB_LISTS", "COPY", "ACCOUNT", "ADMIN", "FAILED_AUTH"})
            o.gateway[std::string{"RATE_LIMIT_"} + name] = "1000000/1m"; // counted, and out of the way
        return o;
    }()};
    return s;
}

/// Exit status of one file of tests/contract; its output is shown when it fails.
int run_node(const std::string& file) {
    auto& s = shared();
    const testing::temp_dir dir;
    testing::process::options o;
    o.environment = {{"GATEWAY_URL", s.gateway_url()},
                     {"API_KEY", s.api_key()},
                     {"READ_KEY", s.make_key("read", "contract-reader@example.test")},
                     {"SHOP_URL", s.shop_url()}};
    o.output = dir.path() / "node.log";
    const auto path = std::string{std::getenv("TIKTREND_SOURCE_DIR")} + "/tests/contract/" + file;
    const auto status =
        testing::run({"env", "node", "--test", "--test-reporter=spec", path}, o, std::chrono::minutes{4});
    if (status != 0) UNSCOPED_INFO(e2e::read_file(o.output));
    return status;
}

} // namespace

TEST_CASE("every operation answers as docs/openapi.yaml says", "[e2e][contract]") {
    CHECK(run_node("contract.test.mjs") == 0);
}

TEST_CASE("what the document forbids is refused by a documented problem", "[e2e][contract]") {
    CHECK(run_node("bad_input.test.mjs") == 0);
}

TEST_CASE("limits, choices and defaults of the document are those of the code", "[e2e][contract]") {
    CHECK(run_node("boundaries.test.mjs") == 0);
}

TEST_CASE("error codes of the document are those of the code", "[e2e][contract]") {
    CHECK(run_node("codes.test.mjs") == 0);
}

TEST_CASE("docs/openapi.yaml is well-formed by the recommended rules", "[e2e][contract]") {
    CHECK(run_node("lint.test.mjs") == 0);
}

TEST_CASE("the dashboard and the document's page work in a DOM", "[e2e][contract]") {
    CHECK(run_node("pages.test.mjs") == 0);
}
