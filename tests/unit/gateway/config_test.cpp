#include "config.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

using namespace tiktrend;

namespace {
config_reader reader(std::map<std::string, std::string, std::less<>> values) {
    return config_reader{[values = std::move(values)](std::string_view name) -> std::optional<std::string> {
        const auto it = values.find(name);
        return it == values.end() ? std::nullopt : std::optional{it->second};
    }};
}

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
}
} // namespace

TEST_CASE("the defaults are the product's", "[unit][gateway]") {
    auto r = reader({});
    const auto c = gateway::read_config(r);
    CHECK(r.errors().empty());
    CHECK(c.job_defaults.priority == 5);
    CHECK(c.job_defaults.attempts == 3);
    REQUIRE(c.job_defaults.backoff);
    CHECK(c.job_defaults.backoff->type == "exponential");
    CHECK(c.job_defaults.backoff->delay == std::chrono::seconds{2});
    CHECK(c.job_defaults.remove_on_complete == queue::keep_policy::newest(1000));
    CHECK(c.job_defaults.remove_on_fail == queue::keep_policy::newest(5000));
    CHECK(c.queue_name == "scraping");
    CHECK(c.cursor_secret_is_random);
}

TEST_CASE("every mistake gives one line", "[unit][gateway]") {
    auto r = reader({{"GATEWAY_PORT", "99999"},
                     {"DATABASE_URL", "mysql://x"},
                     {"CURSOR_SECRET", "short"},
                     {"LAME_DUCK", "10"},
                     {"QUEUE_NAME", "a:b"}});
    gateway::read_config(r);
    REQUIRE(r.errors().size() == 5);
    CHECK(r.errors()[0] == R"(GATEWAY_PORT="99999": expected an integer from 0 to 65535)");
    CHECK(r.errors()[2] == R"(QUEUE_NAME="a:b": expected a name without ':')");
    for (const auto& line : r.errors())
        CHECK(line.find("short") == std::string::npos);
}

TEST_CASE("limits and quotas are numbers or off", "[unit][gateway]") {
    auto r = reader({{"QUOTA_SCRAPES", "off"},
                     {"QUOTA_COPIES", "0"},
                     {"RATE_LIMIT_READ", "5/1s"},
                     {"RATE_LIMIT_COPY", "off"}});
    const auto c = gateway::read_config(r);
    CHECK(r.errors().empty());
    CHECK_FALSE(c.quotas.standard[0]);
    CHECK(c.quotas.standard[1] == 0);
    CHECK(c.limits.read.limit == gateway::rate_limit{5, std::chrono::seconds{1}});
    CHECK_FALSE(c.limits.copy.limit);
    CHECK(c.limits.scrape.limit);

    auto wrong = reader(
        {{"QUOTA_SCRAPES", "-1"}, {"RATE_LIMIT_READ", "5 a minute"}, {"RATE_LIMIT_WITHOUT_REDIS", "maybe"}});
    gateway::read_config(wrong);
    REQUIRE(wrong.errors().size() == 3);
    CHECK(wrong.errors()[0] == R"(QUOTA_SCRAPES="-1": expected a number of uses a day, or off)");
    CHECK(wrong.errors()[1] ==
          R"(RATE_LIMIT_READ="5 a minute": expected REQUESTS/WINDOW such as 600/1m, or off)");
}

TEST_CASE("an outbox needs the failed jobs that it looks for", "[unit][gateway]") {
    auto wrong = reader({{"JOB_KEEP_FAILED", "0"}, {"ENQUEUE_DURABILITY", "outbox"}});
    gateway::read_config(wrong);
    REQUIRE(wrong.errors().size() == 1);
    CHECK(wrong.errors()[0].starts_with(R"(JOB_KEEP_FAILED="0": expected 1 or more)"));
    auto right = reader({{"JOB_KEEP_FAILED", "0"}});
    gateway::read_config(right);
    CHECK(right.errors().empty());
}

TEST_CASE("tokens need an issuer, an audience and a long secret", "[unit][gateway]") {
    auto none = reader({});
    CHECK_FALSE(gateway::read_config(none).jwt.is_on());
    auto good =
        reader({{"JWT_HS256_SECRET", std::string(32, 's')}, {"JWT_ISSUER", "i"}, {"JWT_AUDIENCE", "a"}});
    CHECK(gateway::read_config(good).jwt.is_on());
    CHECK(good.errors().empty());
    auto wrong = reader({{"JWT_HS256_SECRET", "short"}});
    gateway::read_config(wrong);
    REQUIRE(wrong.errors().size() == 3);
    CHECK(wrong.errors()[0] ==
          R"(JWT_HS256_SECRET="***": expected at least 32 bytes (RFC 7518 section 3.2))");
    CHECK(wrong.errors()[1] == R"(JWT_ISSUER="": expected the "iss" of tokens that are believed)");
}

TEST_CASE("no secret of the environment is in what is printed at the start", "[unit][gateway]") {
    const std::string secret = "hunter2hunter2hunter2hunter2hunter2";
    const auto with_password = [&](std::string scheme) { return scheme + "://tt:" + secret + "@host/1"; };
    for (const bool valid : {true, false}) {
        CAPTURE(valid);
        const std::string pg = valid ? "postgresql" : "mysql";
        auto r = reader(
            {{"REDIS_QUEUE_URL", with_password(valid ? "redis" : "http")},
             {"REDIS_CACHE_URL", with_password(valid ? "rediss" : "http")},
             {"DATABASE_URL", with_password(pg)},
             {"DATABASE_REPLICA_URLS", with_password(pg) + "," + pg + "://r2/x?user=tt&password=" + secret},
             {"JWT_HS256_SECRET", secret},
             {"JWT_JWKS", with_password("https")},
             {"JWT_ISSUER", "i"},
             {"JWT_AUDIENCE", "a"},
             {"CURSOR_SECRET", secret},
             {"COPY_API_KEY", secret},
             {"COPY_BASE_URL", valid ? "" : with_password("https")},
             {"GATEWAY_ROLE", valid ? "primary" : "replica"},
             {"PRIMARY_URL", with_password("https")},
             {"SENTRY_DSN", (valid ? "https://" : "ftp://") + secret + "@sentry.test/1"}});
        gateway::read_config(r);
        CHECK(r.errors().empty() == valid);
        for (const auto& e : r.entries())
            CHECK(e.value.find(secret) == std::string::npos);
        for (const auto& line : r.errors())
            CHECK(line.find(secret) == std::string::npos);
    }
}

TEST_CASE("docs/configuration.md lists every variable of the gateway", "[unit][gateway]") {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    REQUIRE(root);
    const auto docs = text_of(std::filesystem::path{root} / "docs/configuration.md");
    auto r = reader({});
    gateway::read_config(r);
    for (const auto& e : r.entries()) {
        INFO(e.name);
        CHECK(docs.find("`" + e.name + "`") != std::string::npos);
    }
}
