// The parts of copy generation that need no endpoint.
#include "copy/circuit_breaker.hpp"
#include "copy/completion.hpp"
#include "copy/copy_order.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::gateway;
using namespace std::chrono_literals;

TEST_CASE("a circuit opens after failures in a row and closes after a good trial", "[unit][copy]") {
    circuit_breaker c{3, 10s};
    const circuit_breaker::time t0{};
    for (int i = 0; i < 2; ++i) {
        REQUIRE(c.admit(t0));
        c.failed(t0);
    }
    REQUIRE(c.admit(t0));
    c.succeeded(); // not in a row
    for (int i = 0; i < 3; ++i) {
        REQUIRE(c.admit(t0));
        c.failed(t0);
    }
    CHECK(c.is_open());
    CHECK_FALSE(c.admit(t0 + 9s));
    CHECK(c.admit(t0 + 10s));
    CHECK_FALSE(c.admit(t0 + 10s)); // one trial at a time
    c.failed(t0 + 10s);
    CHECK_FALSE(c.admit(t0 + 29s)); // the pause has doubled
    CHECK(c.admit(t0 + 30s));
    c.abandoned(); // told nothing: the next one tries
    CHECK(c.admit(t0 + 30s));
    c.succeeded();
    CHECK_FALSE(c.is_open());
    CHECK(c.admit(t0 + 30s));
}

TEST_CASE("the pause of a circuit is bounded", "[unit][copy]") {
    circuit_breaker c{1, 10s};
    circuit_breaker::time now{};
    REQUIRE(c.admit(now));
    c.failed(now);
    for (int i = 0; i < 20; ++i) {
        now = c.reopens_at();
        REQUIRE(c.admit(now));
        c.failed(now);
        CHECK(c.reopens_at() - now <= 60s);
    }
}

TEST_CASE("retries are a share of first tries", "[unit][copy]") {
    retry_budget b{0.25};
    int spent = 0;
    while (b.spend())
        ++spent;
    CHECK(spent == 10);
    for (int i = 0; i < 100; ++i) {
        b.earn();
        if (b.spend()) ++spent;
    }
    CHECK(spent == 35);
}

TEST_CASE("a stream of pieces is read however its bytes are cut", "[unit][copy]") {
    const std::string stream =
        ": hello\r\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\n"
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Caf\\u00e9 \"}}]}\n\n"
        "data:{\"choices\":[{\"delta\":{\"content\":\"noir\"}}]}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        std::string told;
        completion_reader reader{[&](std::string_view piece) { told += piece; }};
        for (std::size_t at = 0; at < stream.size(); at += size)
            REQUIRE(reader.feed(std::string_view{stream}.substr(at, size)));
        CHECK(reader.is_done());
        CHECK(told == "Café noir");
        CHECK(reader.result().text == told);
        CHECK(reader.result().model == "m");
        CHECK(reader.result().tokens_in == 3);
        CHECK(reader.result().tokens_out == 2);
    }
}

TEST_CASE("what is no stream of pieces is refused", "[unit][copy]") {
    const auto takes = [](std::string_view text) {
        completion_reader reader{[](std::string_view) {}};
        return reader.feed(text);
    };
    CHECK_FALSE(takes("data: nonsense\n"));
    CHECK_FALSE(takes("data: {\"error\":{\"message\":\"no\"}}\n"));
    CHECK_FALSE(takes(std::string(300'000, 'x')));
    CHECK(takes("data: {}\n"));
    CHECK(takes("data: []\n"));
    CHECK_FALSE(parse_completion("{}"));
    CHECK_FALSE(parse_completion(R"({"choices":[{"message":{"content":null}}]})"));
    CHECK(parse_completion(R"({"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":-4}})")
              ->tokens_in == 0);
    CHECK(error_text(R"({"error":{"message":"no such model"}})") == "no such model");
    CHECK(error_text("<html>" + std::string(1000, 'x')).size() == 300);
}

TEST_CASE("facts are the known members, cut at whole characters", "[unit][copy]") {
    CHECK(
        facts_of(
            R"({"id":1,"title":"Lamp","url":"https://x.test","price_min":"19.90","rating":4.5,"category":null,)"
            R"("is_trending":true,"attributes":{"colour":"red"},"scraped_at":"2026-01-01"})") ==
        R"({"title":"Lamp","price_min":"19.90","rating":4.5,"is_trending":true,"attributes":{"colour":"red"}})");
    std::string umlauts;
    for (int i = 0; i < 1001; ++i)
        umlauts += "ä";
    const auto facts = facts_of(R"({"title":"x)" + umlauts + R"("})");
    CHECK(facts.size() == std::string{R"({"title":""})"}.size() + 1 + 999 * 2);
    CHECK_THROWS(facts_of("[]"));
}

TEST_CASE("every part of an order makes another key", "[unit][copy]") {
    copy_order o;
    o.product_id = 1;
    o.tone = "friendly";
    o.language = "en";
    o.length = "short";
    o.facts = "{}";
    const auto key = copy_key(o, "m");
    CHECK(key.size() == 64);
    CHECK(copy_key(o, "m") == key);
    CHECK(copy_key(o, "m2") != key);
    auto other = o;
    other.product_id = 2;
    CHECK(copy_key(other, "m") != key);
    other = o;
    other.facts = R"({"a":1})";
    CHECK(copy_key(other, "m") != key);
    other = o;
    other.tone = "urgent";
    CHECK(copy_key(other, "m") != key);
    CHECK(completion_request(o, "m", 10, true).find(R"("include_usage":true)") != std::string::npos);
    CHECK(completion_request(o, "m", 10, false).find("stream") == std::string::npos);
}
