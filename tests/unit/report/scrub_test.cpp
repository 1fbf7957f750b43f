#include <tiktrend/report/scrub.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::report;

TEST_CASE("what looks like a secret is not sent", "[unit][report]") {
    CHECK(scrub("cannot connect to postgresql://tiktrend:hunter2@db:5432/tiktrend") ==
          "cannot connect to postgresql://[Filtered]@db:5432/tiktrend");
    CHECK(scrub("redis://:p@ss@host/0") == "redis://[Filtered]@host/0");
    CHECK(scrub("Authorization: Bearer abc.def-ghi") == "Authorization: Bearer [Filtered]");
    CHECK(scrub("sent Basic dXNlcjpwYXNz to it") == "sent Basic [Filtered] to it");
    CHECK(scrub("key ttk_0123456789abcdef was refused") == "key [Filtered] was refused");
    CHECK(scrub("token eyJhbGciOi.eyJzdWIi.c2ln expired") == "token [Filtered] expired");
    CHECK(scrub("GET /x?page=2&access_token=abcd1234&y=1") == "GET /x?page=2&access_token=[Filtered]&y=1");
    CHECK(scrub("password=hunter2 host=db") == "password=[Filtered] host=db");
    CHECK(scrub("DB_PASSWORD:hunter2,x") == "DB_PASSWORD:[Filtered],x");
}

TEST_CASE("secrets in quotes, objects and header fields are not sent either", "[unit][report]") {
    CHECK(scrub("host=db password='two words' user=me") == "host=db password=[Filtered] user=me");
    CHECK(scrub(R"(password='it\'s mine' user=me)") == "password=[Filtered] user=me");
    CHECK(scrub(R"(body {"user":"me","password":"hunter2","n":1})") ==
          R"(body {"user":"me","password":[Filtered],"n":1})");
    CHECK(scrub(R"({"api_key" : "a\"b", "pin_secret":1234})") ==
          R"({"api_key" : [Filtered], "pin_secret":[Filtered]})");
    CHECK(scrub("sent Cookie: sid=1; theme=dark\r\nAccept: x") == "sent Cookie: [Filtered]\r\nAccept: x");
    CHECK(scrub("X-API-Key: abcd1234") == "X-API-Key: [Filtered]");
    CHECK(scrub("password='never closed") == "password=[Filtered]");
    CHECK(scrub("password=") == "password=");
}

TEST_CASE("a long text is not cut inside a character", "[unit][report]") {
    const auto text = std::string(1999, 'x') + "\u00e9" + "y";
    CHECK(scrub(text) == std::string(1999, 'x'));
    CHECK(scrub("\u00e9\u00e9", 3) == "\u00e9");
}

TEST_CASE("what is none stays as it is", "[unit][report]") {
    for (const char* text : {"https://shop.test/p/1?q=a@b", "bearer of news", "the token expired", "a: b",
                             "token: none given", ""}) {
        CHECK(scrub(text) == text);
    }
    CHECK(scrub(std::string(5000, 'x')).size() == 2000);
}

TEST_CASE("names of secrets are known by their parts", "[unit][report]") {
    for (const char* name :
         {"password", "DB_PASSWORD", "Authorization", "set-cookie", "sentry_dsn", "X-API-Key"})
        CHECK(is_secret_name(name));
    for (const char* name : {"job_id", "queue", "reason", "page"})
        CHECK_FALSE(is_secret_name(name));
}
