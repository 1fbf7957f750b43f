// Every return code of the gateway's three scripts, and their key before and after.
#include <tiktrend/base/embedded.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/redis_server.hpp>

#include <catch2/catch.hpp>

#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tiktrend::gateway::lua {
std::span<const embedded_file> files() noexcept;
}

namespace {

using namespace tiktrend;
using words = std::vector<std::string>;

testing::redis_server& server() {
    return testing::redis_server::shared();
}

/// The script's answer, an array as its lines.
words run(std::string_view name, const words& args, const std::string& key = "k") {
    for (const auto& f : gateway::lua::files()) {
        if (f.name != name) continue;
        words call{"EVAL", std::string{f.text}, "1", key};
        call.insert(call.end(), args.begin(), args.end());
        std::istringstream lines{server().command(call)};
        words out;
        for (std::string line; std::getline(lines, line);)
            out.push_back(line);
        return out;
    }
    throw std::logic_error("no script " + std::string{name});
}

std::int64_t number(const std::string& text) {
    return std::stoll(text);
}
std::int64_t life(const std::string& key = "k") {
    return number(server().command({"PTTL", key}));
}
std::string field(const std::string& name) {
    return server().command({"HGET", "k", name});
}

/// A request that enters: what it asks, its token, how long it may run, how long its key is known, its nonce.
words enters(std::string print, std::string token, std::string nonce, std::string longest = "60000") {
    return {std::move(print), std::move(token), std::move(longest), "80000", std::move(nonce)};
}
const words first = enters("print-1", "token-1", "n1");

} // namespace

TEST_CASE("begin_request.lua lets the first one run and holds others off", "[integration][gateway]") {
    server().command({"FLUSHALL"});
    CHECK(run("begin_request.lua", first) == words{"run", "n1"});
    CHECK(field("print") == "print-1");
    CHECK(field("token") == "token-1");
    CHECK(field("nonce") == "n1");
    CHECK(life() > 70'000);
    CHECK(life() <= 80'000);
    CHECK(run("begin_request.lua", enters("print-1", "token-2", "n2")) == words{"running"});
    CHECK(run("begin_request.lua", enters("print-2", "token-3", "n3")) == words{"other"});
    CHECK(field("token") == "token-1"); // neither changed anything
    CHECK(field("print") == "print-1");
}

TEST_CASE("begin_request.lua repeats a kept answer to the same request only", "[integration][gateway]") {
    server().command({"FLUSHALL"});
    run("begin_request.lua", first);
    CHECK(run("end_request.lua", {"token-1", "keep", "202", "Location:/x", "the body", "90000"}) ==
          words{"1"});
    CHECK(life() > 80'000);
    CHECK(life() <= 90'000);
    CHECK(run("begin_request.lua", enters("print-1", "token-2", "n2")) ==
          words{"done", "202", "Location:/x", "the body"});
    CHECK(run("begin_request.lua", enters("print-2", "token-3", "n3")) == words{"other"});
    CHECK(life() > 80'000);           // asking does not shorten its life
    CHECK(field("token") == "(nil)"); // nobody runs it any more
}

TEST_CASE("begin_request.lua lets another run when the first took too long", "[integration][gateway]") {
    server().command({"FLUSHALL"});
    CHECK(run("begin_request.lua", enters("print-1", "token-1", "n1", "30")) == words{"run", "n1"});
    // The next one goes on under the nonce of the first: what it starts is the same job.
    words next;
    REQUIRE(testing::poll_until(
        [&] {
            next = run("begin_request.lua", enters("print-1", "token-2", "n2"));
            return next != words{"running"};
        },
        std::chrono::seconds{10}));
    CHECK(next == words{"run", "n1"});
    // The first one comes back: it is not the runner any more.
    CHECK(run("end_request.lua", {"token-1", "keep", "202", "", "late", "90000"}) == words{"0"});
    CHECK(field("status") == "(nil)");
    CHECK(field("token") == "token-2");
    CHECK(life() <= 80'000);
}

TEST_CASE("end_request.lua forgets a request that failed", "[integration][gateway]") {
    server().command({"FLUSHALL"});
    CHECK(run("end_request.lua", {"token-1", "forget", "", "", "", "90000"}) == words{"0"}); // there is none
    run("begin_request.lua", first);
    CHECK(run("end_request.lua", {"token-2", "forget", "", "", "", "90000"}) == words{"0"});
    CHECK(field("token") == "token-1");
    CHECK(run("end_request.lua", {"token-1", "forget", "", "", "", "90000"}) == words{"1"});
    CHECK(server().command({"EXISTS", "k"}) == "0");
    CHECK(run("begin_request.lua", first) == words{"run", "n1"});
}

TEST_CASE("end_request.lua lets a request whose outcome is open run again under its nonce",
          "[integration][gateway]") {
    server().command({"FLUSHALL"});
    run("begin_request.lua", first);
    CHECK(run("end_request.lua", {"token-1", "again", "", "", "", "90000"}) == words{"1"});
    CHECK(run("begin_request.lua", enters("print-2", "token-2", "n2")) == words{"other"});
    CHECK(run("begin_request.lua", enters("print-1", "token-3", "n3")) == words{"run", "n1"});
    CHECK(field("token") == "token-3");
}

TEST_CASE("take_permits.lua grants the whole quota, then what refills", "[integration][gateway]") {
    server().command({"FLUSHALL"});
    const words whole{"5", "600000000", "3"}; // 5 in ten minutes: two minutes each
    auto r = run("take_permits.lua", whole);
    REQUIRE(r.size() == 4);
    CHECK(r[0] == "3");
    CHECK(r[1] == "2");
    CHECK(number(r[2]) > 350'000); // three times two minutes
    CHECK(number(r[2]) <= 360'000);
    CHECK(r[3] == "0");
    CHECK(life() > 350'000);
    r = run("take_permits.lua", whole); // only two are left
    CHECK(r[0] == "2");
    CHECK(r[1] == "0");
    CHECK(number(r[3]) > 110'000);
    CHECK(number(r[3]) <= 120'000);
    const auto full_at = server().command({"GET", "k"});
    r = run("take_permits.lua", whole);
    CHECK(r[0] == "0");
    CHECK(server().command({"GET", "k"}) == full_at); // a refusal costs nothing
}

TEST_CASE("take_permits.lua looks without taking", "[integration][gateway]") {
    server().command({"FLUSHALL"});
    auto r = run("take_permits.lua", {"5", "600000000", "0"});
    CHECK(r == words{"0", "5", "0", "0"});
    CHECK(server().command({"EXISTS", "k"}) == "0");
    run("take_permits.lua", {"5", "600000000", "5"});
    r = run("take_permits.lua", {"5", "600000000", "0"});
    CHECK(r[0] == "0");
    CHECK(r[1] == "0");
    CHECK(number(r[3]) > 0);
}

TEST_CASE("take_permits.lua survives a limit that was lowered, and one that is over",
          "[integration][gateway]") {
    server().command({"FLUSHALL"});
    run("take_permits.lua", {"100", "600000000", "100"});
    auto r = run("take_permits.lua", {"2", "60000000", "1"}); // full only in ten minutes, window now one
    CHECK(r[0] == "0");
    CHECK(r[1] == "0"); // never less than nothing
    CHECK(number(r[3]) > 0);
    server().command({"SET", "k", "1000000"}); // long ago
    r = run("take_permits.lua", {"2", "60000000", "1"});
    CHECK(r[0] == "1");
    CHECK(r[1] == "1");
    // No permit is lost to rounding over a whole odd quota.
    server().command({"FLUSHALL"});
    std::int64_t granted = 0;
    for (int i = 0; i < 7; ++i)
        granted += number(run("take_permits.lua", {"7", "3600000000", "1"})[0]);
    CHECK(granted == 7);
    CHECK(run("take_permits.lua", {"7", "3600000000", "1"})[0] == "0");
}
