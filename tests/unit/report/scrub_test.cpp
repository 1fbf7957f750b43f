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
