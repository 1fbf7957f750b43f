#include <tiktrend/base/config_reader.hpp>

#include <catch2/catch.hpp>

#include <map>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
config_reader reader(std::map<std::string, std::string, std::less<>> values) {
    return config_reader{[values = std::move(values)](std::string_view name) -> std::optional<std::string> {
        const auto it = values.find(name);
        return it == values.end() ? std::nullopt : std::optional{it->second};
    }};
}
} // namespace

TEST_CASE("values in range are read, unset and empty ones take the default", "[unit][base]") {
    auto r = reader({{"A", "7"}, {"B", "250ms"}, {"C", "8MiB"}, {"D", ""}, {"E", "a, b ,,c"}});
    CHECK(r.integer("A", 1, 1, 10) == 7);
    CHECK(r.duration("B", 1s, 1ms, 1h) == 250ms);
    CHECK(r.bytes("C", 1, 1, 1 << 30) == 8 << 20);
    CHECK(r.text("D", "x") == "x");
    CHECK(r.list("E", "") == std::vector<std::string>{"a", "b", "c"});
    CHECK(r.flag("F", true));
    CHECK(r.errors().empty());
    CHECK(r.entries().at(3).is_default);
}

TEST_CASE("a wrong value gives one line naming variable, value and expectation", "[unit][base]") {
    auto r =
        reader({{"WORKER_CONCURRENCY", "ten"}, {"T", "30"}, {"M", "fast"}, {"U", "ftp://x"}, {"N", "0"}});
    CHECK(r.integer("WORKER_CONCURRENCY", 10, 1, 1000) == 10);
    CHECK(r.duration("T", 5s, 1s, 2h) == 5s);
    r.one_of("M", "local", {"local", "replicated"});
    r.url("U", "redis://x", {"redis", "rediss"});
    r.integer("N", 1, 1, 9);
    REQUIRE(r.errors().size() == 5);
    CHECK(r.errors()[0] == R"(WORKER_CONCURRENCY="ten": expected an integer from 1 to 1000)");
    CHECK(r.errors()[1] == R"(T="30": expected a duration with a unit (ms, s, m, h) from 1s to 2h)");
    CHECK(r.errors()[2] == R"(M="fast": expected one of local, replicated)");
    CHECK(r.errors()[3] == R"(U="ftp://x": expected a URL with scheme redis, rediss)");
}

TEST_CASE("secrets and passwords are never shown", "[unit][base]") {
    auto r =
        reader({{"S", "hunter2"},
                {"U", "postgresql://me:hunter2@db/x?a=b"},
                {"L", "postgresql://me:hunter2@r1/x, postgresql://r2/x?password=hunter2,ftp://me:hunter2@r3"},
                {"W", "host=db password=hunter2"},
                {"T", "https://me:hunter2@proxy"}});
    CHECK(r.secret("S") == "hunter2");
    CHECK(r.url("U", "", {"postgresql"}) == "postgresql://me:hunter2@db/x?a=b");
    const auto urls = r.urls("L", {"postgresql"});
    REQUIRE(urls.size() == 3);
    CHECK(urls[1] == "postgresql://r2/x?password=hunter2");
    r.url("W", "", {"postgresql"});
    CHECK(r.text("T", "") == "https://me:hunter2@proxy");
    r.fail("T", "https://me:hunter2@proxy", "something else");
    for (const auto& e : r.entries())
        CHECK(e.value.find("hunter2") == std::string::npos);
    CHECK(r.entries()[2].value == "postgresql://me:***@r1/x,postgresql://r2/x?password=***,ftp://me:***@r3");
    REQUIRE(r.errors().size() == 3);
    for (const auto& line : r.errors())
        CHECK(line.find("hunter2") == std::string::npos);
    CHECK(r.errors()[0] == R"(L="ftp://me:***@r3": expected comma separated URLs with scheme postgresql)");
}

TEST_CASE("a password is found wherever a URL or a conninfo string has it", "[unit][base]") {
    CHECK(hide_password("redis://host/1") == "redis://host/1");
    CHECK(hide_password("redis://host:6379/1") == "redis://host:6379/1");
    CHECK(hide_password("postgresql://db:5432/x?application_name=a@b") ==
          "postgresql://db:5432/x?application_name=a@b");
    CHECK(hide_password("redis://:pw@host") == "redis://:***@host");
    CHECK(hide_password("redis+sentinel://me:p,w@a:1,b:2/main") == "redis+sentinel://me:***@a:1,b:2/main");
    CHECK(hide_password("postgresql://me:p/w@db/x") == "postgresql://me:***@db/x");
    CHECK(hide_password("postgresql://db/x?user=me&password=pw&sslmode=require") ==
          "postgresql://db/x?user=me&password=***&sslmode=require");
    CHECK(hide_password("postgresql://db/x?sslpassword=pw") == "postgresql://db/x?sslpassword=***");
    CHECK(hide_password("host=db PassWord='p w' user=me") == "host=db PassWord=*** user=me");
    CHECK(hide_password("password=a password=b") == "password=*** password=***");
    CHECK(hide_password(R"(password='it\'s mine' user=me)") == "password=*** user=me");
    CHECK(hide_password(R"(password=it\ is user=me)") == "password=*** user=me");
    CHECK(hide_password(R"(password='never ends\)") == "password=***");
    for (const char* password : {"ab/cd", "ab?cd", "ab#cd", "a@b/c:d"})
        CHECK(hide_password(std::string{"redis://me:"} + password + "@host/1") == "redis://me:***@host/1");
    CHECK(hide_password("https://host/@tiktok") == "https://host/@tiktok");
}

TEST_CASE("a size or a time that does not fit is refused instead of wrapping", "[unit][base]") {
    CHECK(parse_bytes("8589934591GiB") == 8589934591LL << 30);
    CHECK_FALSE(parse_bytes("8589934592GiB"));
    CHECK_FALSE(parse_bytes("17179869184GiB"));
    CHECK_FALSE(parse_bytes("-17179869184GiB"));
    CHECK(parse_duration("2562047788015h")->count() == 2562047788015LL * 3'600'000);
    CHECK_FALSE(parse_duration("2562047788016h"));
    CHECK_FALSE(parse_duration("9223372036854775807s"));
}
