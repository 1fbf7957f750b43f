#include <tiktrend/report/dsn.hpp>
#include <tiktrend/report/event.hpp>

#include <boost/json.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::report;
namespace json = boost::json;

TEST_CASE("a DSN says where envelopes go", "[unit][report]") {
    const auto d = parse_dsn("https://abc123@errors.example.test/42");
    REQUIRE(d);
    CHECK(d->key == "abc123");
    CHECK(d->envelope_url == "https://errors.example.test/api/42/envelope/");
    CHECK(d->host_port == "errors.example.test:443");
    CHECK(parse_dsn("http://k:secret@127.0.0.1:9000/sub/7")->envelope_url ==
          "http://127.0.0.1:9000/sub/api/7/envelope/");
    for (const char* bad : {"", "abc", "https://errors.example.test/42", "https://@host/1",
                            "https://key@host/", "ftp://key@host/1"}) {
        INFO(bad);
        CHECK_FALSE(parse_dsn(bad));
    }
}

TEST_CASE("a log line of level error becomes an event without its secrets", "[unit][report]") {
    const origin from{"tiktrend-worker", "tiktrend-worker@1", "test", "host-1"};
    const auto e = make_event(
        R"({"ts":"2026-01-02T03:04:05.678Z","level":"error","event":"page_failed","program":"tiktrend-worker","job_id":"7",)"
        R"("api_key":"ttk_1","error":"no route to postgresql://u:pw@db/x","tries":3})",
        from, "0123456789abcdef0123456789abcdef", 4);
    REQUIRE(e);
    CHECK(e->kind == "page_failed");
    CHECK(e->payload.find("pw") == std::string::npos);
    CHECK(e->payload.find("ttk_") == std::string::npos);
    const auto o = json::parse(e->payload).as_object();
    CHECK(o.at("timestamp") == "2026-01-02T03:04:05.678Z");
    CHECK(o.at("message").at("formatted") == "page_failed: no route to postgresql://[Filtered]@db/x");
    CHECK(o.at("tags").at("job_id") == "7");
    CHECK(o.at("extra").at("tries") == 3);
    CHECK(o.at("extra").at("suppressed") == 4);
    CHECK(o.at("fingerprint").as_array().size() == 2);

    const auto envelope = make_envelope(*e, "0123456789abcdef0123456789abcdef");
    const auto first = envelope.find('\n'), second = envelope.find('\n', first + 1);
    CHECK(json::parse(envelope.substr(0, first)).at("event_id") == "0123456789abcdef0123456789abcdef");
    CHECK(json::parse(envelope.substr(first + 1, second - first - 1)).at("length") == e->payload.size());
}

TEST_CASE("other levels and other text are no events", "[unit][report]") {
    for (const char* line :
         {R"({"level":"warn","event":"x"})", "text", "", R"({"level":"error"})", R"(["level":"error"])"}) {
        INFO(line);
        CHECK_FALSE(kind_of(line));
        CHECK_FALSE(make_event(line, {}, "0", 0));
    }
}
