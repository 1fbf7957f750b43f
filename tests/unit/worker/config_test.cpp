#include "config.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {

config_reader reader_of(std::map<std::string, std::string> values) {
    return config_reader{[values = std::move(values)](std::string_view name) -> std::optional<std::string> {
        const auto it = values.find(std::string{name});
        return it == values.end() ? std::nullopt : std::optional{it->second};
    }};
}

std::vector<std::string> errors_of(std::map<std::string, std::string> values) {
    auto reader = reader_of(std::move(values));
    worker::read_config(reader);
    return reader.errors();
}

} // namespace

TEST_CASE("without variables the defaults are those of the documentation", "[unit][worker]") {
    auto reader = reader_of({});
    const auto c = worker::read_config(reader);
    CHECK(reader.errors().empty());
    CHECK(c.concurrency == 10);
    CHECK(c.queue_prefix == "bull");
    CHECK(c.queue_name == "scraping");
    CHECK(c.max_stalled_count == 3);
    CHECK(c.lock_duration == 30s);
    CHECK(c.drain_timeout == 105s);
    CHECK(c.keep_completed == 1000);
    CHECK(c.keep_failed == 5000);
    CHECK(c.retries.tries == 4);
    CHECK(c.fetch.max_body_bytes == 16U << 20);
}

TEST_CASE("every mistake is one line with variable, value and what is expected", "[unit][worker]") {
    const auto errors = errors_of({{"WORKER_CONCURRENCY", "ten"},
                                   {"REDIS_QUEUE_URL", "http://x"},
                                   {"DRAIN_TIMEOUT", "105"},
                                   {"FETCH_ALLOW", "127.0.0.1:4000,nonsense/"},
                                   {"FETCH_DENY", "10.0.0.0/99"},
                                   {"SOURCE_DEFAULTS", "demo.shop.shop"},
                                   {"QUEUE_NAME", "a:b"},
                                   {"CONTACT", "somebody"},
                                   {"FETCH_CONNECT_TO", "a.test:80=b.test"},
                                   {"LOG_LEVEL", "loud"}});
    const auto has = [&](const std::string& start) {
        return std::any_of(errors.begin(), errors.end(),
                           [&](const std::string& e) { return e.starts_with(start); });
    };
    for (const auto& e : errors) {
        INFO(e);
        CHECK(e.find("expected ") != std::string::npos);
        CHECK(e.find("expected expected") == std::string::npos);
    }
    CHECK(has("WORKER_CONCURRENCY=\"ten\""));
    CHECK(has("REDIS_QUEUE_URL=\"http://x\""));
    CHECK(has("DRAIN_TIMEOUT=\"105\""));
    CHECK(has("FETCH_ALLOW=\"nonsense/\""));
    CHECK(has("FETCH_DENY=\"10.0.0.0/99\""));
    CHECK(has("SOURCE_DEFAULTS=\"demo.shop.shop\""));
    CHECK(has("QUEUE_NAME=\"a:b\""));
    CHECK(has("CONTACT=\"somebody\""));
    CHECK(has("FETCH_CONNECT_TO=\"a.test:80=b.test\""));
    CHECK(has("LOG_LEVEL=\"loud\""));
}

TEST_CASE("the allow list opens what it says", "[unit][worker]") {
    auto reader = reader_of({{"FETCH_ALLOW", "127.0.0.1:4000, demo-shop:8080"}});
    const auto c = worker::read_config(reader);
    REQUIRE(reader.errors().empty());
    CHECK_FALSE(c.fetch.guard.check(*fetch::parse_url("http://127.0.0.1:4000/")).has_value());
    CHECK_FALSE(c.fetch.guard.check(*fetch::parse_url("http://demo-shop:8080/")).has_value());
    CHECK(c.fetch.guard.check(*fetch::parse_url("http://127.0.0.1:4001/")).has_value());
}

TEST_CASE("requests name the project and the operator's contact", "[unit][worker]") {
    const auto agent_of = [](std::map<std::string, std::string> values) {
        auto reader = reader_of(std::move(values));
        const auto c = worker::read_config(reader);
        CHECK(reader.errors().empty());
        return c.fetch.user_agent;
    };
    CHECK(agent_of({}) == "TikTrendBot/0.1");
    CHECK(agent_of({{"CONTACT", "https://example.com/bot"}}) == "TikTrendBot/0.1 (+https://example.com/bot)");
    CHECK(agent_of({{"CONTACT", "crawler@example.com"}}) == "TikTrendBot/0.1 (+crawler@example.com)");
    CHECK(agent_of({{"CONTACT", "a@b.example"}, {"FETCH_USER_AGENT", "Other/1"}}) == "Other/1");
}

TEST_CASE("a host may be asked at another place", "[unit][worker]") {
    auto reader = reader_of({{"FETCH_CONNECT_TO", "shop.test:443=127.0.0.1:4000, [::1]:80=b.test:81"}});
    const auto c = worker::read_config(reader);
    REQUIRE(reader.errors().empty());
    CHECK(c.fetch.connect_to ==
          std::vector<std::string>{"shop.test:443:127.0.0.1:4000", "[::1]:80:b.test:81"});
}

TEST_CASE("secrets and passwords are not printed", "[unit][worker]") {
    auto reader = reader_of({{"SOURCE_SECRETS", "a.b.cookie=topsecret"},
                             {"DATABASE_URL", "postgresql://u:topsecret@h/d"},
                             {"REDIS_QUEUE_URL", "redis://:topsecret@h:1"}});
    const auto c = worker::read_config(reader);
    REQUIRE(reader.errors().empty());
    CHECK(c.source_secrets.at("a.b.cookie") == "topsecret");
    for (const auto& e : reader.entries()) {
        INFO(e.name);
        CHECK(e.value.find("topsecret") == std::string::npos);
    }
    const auto errors = errors_of({{"SOURCE_SECRETS", "topsecret"}});
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].find("topsecret") == std::string::npos);
}
