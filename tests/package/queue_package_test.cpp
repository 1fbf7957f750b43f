#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace tiktrend::testing {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string contents(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

TEST_CASE("a program finds the installed package, adds a job and runs it", "[package][queue]") {
    const temp_dir dir;
    const auto root = environment("TIKTREND_SOURCE_DIR");
    const auto cmake = environment("TIKTREND_CMAKE");
    const auto prefix = (dir.path() / "prefix").string();
    const auto build = (dir.path() / "build").string();
    process::options quiet;
    quiet.output = dir.path() / "log";
    const auto step = [&](std::vector<std::string> argv) {
        const int status = run(std::move(argv), quiet, std::chrono::minutes{4});
        if (status != 0) UNSCOPED_INFO(contents(quiet.output));
        return status;
    };
    REQUIRE(step({cmake, "--install", environment("TIKTREND_BUILD_DIR"), "--prefix", prefix, "--component",
                  "tiktrend-queue"}) == 0);
    CHECK(std::filesystem::exists(prefix + "/include/tiktrend/queue/queue.hpp"));
    REQUIRE(step({cmake, "-G", "Ninja", "-S", root + "/tests/package/consumer", "-B", build,
                  "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_CXX_COMPILER=" + environment("TIKTREND_CXX"),
                  "-DCMAKE_CXX_FLAGS=" + environment("TIKTREND_CONSUMER_FLAGS"),
                  "-DEXAMPLES=" + root + "/libs/queue/examples"}) == 0);
    REQUIRE(step({cmake, "--build", build}) == 0);

    redis_server& server = redis_server::shared();
    REQUIRE(step({build + "/producer", server.unix_url()}) == 0);
    CHECK(contents(quiet.output).find("added job 1") != std::string::npos);
    process::options seen;
    seen.output = dir.path() / "worker.log";
    process worker{{build + "/worker", server.unix_url()}, seen};
    CHECK(poll_until([&] { return server.command({"ZCARD", "bull:paint:completed"}) == "1"; }));
    worker.signal(SIGTERM);
    CHECK(worker.wait(std::chrono::seconds{10}) == 0);
    CHECK(contents(seen.output).find(R"(painting {"color":"blue"})") != std::string::npos);
    CHECK(server.command({"HGET", "bull:paint:1", "returnvalue"}) == R"({"painted":true})");
}

} // namespace
} // namespace tiktrend::testing
