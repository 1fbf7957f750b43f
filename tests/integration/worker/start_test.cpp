#include "worker_stack.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>

using namespace tiktrend;
using namespace tiktrend::worker_tests;

namespace {

/// Runs the worker until it refuses; its exit status and output.
std::pair<int, std::string> refuse(const environment& variables) {
    testing::temp_dir dir;
    testing::process::options o;
    o.environment = variables;
    o.environment["METRICS_PORT"] = "0";
    o.output = dir.path() / "out";
    testing::process p{{program("tiktrend-worker")}, o};
    const auto status = p.wait(std::chrono::seconds{10});
    return {status.value_or(-1), read_file(o.output)};
}

} // namespace

TEST_CASE("a broken definition is refused with file, line, field and what was expected",
          "[integration][worker]") {
    testing::temp_dir dir;
    const auto file = dir.path() / "broken.yaml";
    std::ofstream{file} << "format: 1\n"
                           "id: broken.shop\n"
                           "kind: product\n"
                           "request: {url: \"http://a.test/\"}\n"
                           "documents: {body: {parse: json}}\n"
                           "records: {from: body, path: [p]}\n"
                           "key: [field:sku]\n"
                           "fields:\n"
                           "  sku: {path: [id], type: mony}\n";
    const auto [status, output] = refuse({{"SOURCES_DIR", dir.path().string()}});
    INFO(output);
    CHECK(status == 2);
    CHECK(output.find("broken.yaml:9:") != std::string::npos);
    CHECK(output.find("fields.sku.type") != std::string::npos);
    CHECK(output.find("expected") != std::string::npos);
    CHECK(output.find("mony") != std::string::npos);
}

TEST_CASE("a folder of definitions that is not there is refused", "[integration][worker]") {
    const auto [status, output] = refuse({{"SOURCES_DIR", "/nonexistent/folder"}});
    INFO(output);
    CHECK(status == 2);
    CHECK(output.find("/nonexistent/folder") != std::string::npos);
}

TEST_CASE("wrong settings are refused, all at once, one line each", "[integration][worker]") {
    const auto [status, output] =
        refuse({{"WORKER_CONCURRENCY", "ten"}, {"DRAIN_TIMEOUT", "5"}, {"FETCH_ALLOW", "not an entry"}});
    INFO(output);
    CHECK(status == 2);
    CHECK(output.find("WORKER_CONCURRENCY=\"ten\": expected an integer from 1 to 1000\n") !=
          std::string::npos);
    CHECK(output.find("DRAIN_TIMEOUT=\"5\": expected") != std::string::npos);
    CHECK(output.find("FETCH_ALLOW=\"not an entry\": expected") != std::string::npos);
}

TEST_CASE("a metrics port that is taken ends the worker with the reason", "[integration][worker]") {
    worker_stack stack;
    const auto port = stack.shop_url().substr(stack.shop_url().rfind(':') + 1);
    auto worker = stack.start_worker({{"METRICS_PORT", port}});
    CHECK(worker.wait(std::chrono::seconds{10}) == 1);
    INFO(stack.log(1));
    CHECK(stack.log(1).find("worker_failed") != std::string::npos);
}

TEST_CASE("the settings in force are printed at start without passwords", "[integration][worker]") {
    worker_stack stack;
    const auto worker =
        stack.start_worker({{"WORKER_CONCURRENCY", "7"}, {"SOURCE_SECRETS", "demo.shop.token=topsecret"}});
    REQUIRE(testing::poll_until([&] { return stack.log(1).find("worker_started") != std::string::npos; }));
    CHECK(stack.log(1).find(R"("name":"WORKER_CONCURRENCY","value":"7")") != std::string::npos);
    CHECK(stack.log(1).find("topsecret") == std::string::npos);
    CHECK(stack.log(1).find("no_contact") != std::string::npos); // told, as nobody set CONTACT
    REQUIRE(testing::poll_until(
        [&] { return stack.ask_worker(1, "/metrics").find("worker_concurrency 7") != std::string::npos; }));
}

// CURLOPT_NOSIGNAL leaves SIGPIPE to the program, and OpenSSL writes to connections that are closed.
TEST_CASE("curl trap 17: a connection that closes in mid-write does not end the worker by a signal",
          "[integration][worker]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    REQUIRE(testing::poll_until([&] { return stack.log(1).find("worker_started") != std::string::npos; }));
    const auto status = read_file("/proc/" + std::to_string(worker.pid()) + "/status");
    const auto at = status.find("SigIgn:");
    REQUIRE(at != std::string::npos);
    const auto ignored = std::stoull(status.substr(at + 7), nullptr, 16);
    CHECK((ignored >> (SIGPIPE - 1) & 1) == 1);
}
