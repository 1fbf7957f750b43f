#include <tiktrend/http/media_type.hpp>
#include <tiktrend/http/problem.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::http;

TEST_CASE("JSON types are told from others", "[unit][http]") {
    for (const auto* yes :
         {"application/json", "Application/JSON", "application/json; charset=utf-8",
          "application/json;charset=\"UTF-8\"", "application/problem+json", "application/json ; x=y"})
        CHECK(is_json_type(yes));
    for (const auto* no :
         {"", "text/plain", "text/json", "application/jsonp", "application/json; charset=latin1", "+json",
          "application/x-www-form-urlencoded", "json"})
        CHECK_FALSE(is_json_type(no));
}

TEST_CASE("a body that is not plain JSON is refused with 415", "[unit][http]") {
    const auto status = [](const char* type, const char* coding) {
        request r;
        if (*type) r.headers.add("Content-Type", type);
        if (*coding) r.headers.add("Content-Encoding", coding);
        try {
            require_json(r);
        } catch (const problem& p) {
            return p.status();
        }
        return 0;
    };
    CHECK(status("application/json", "") == 0);
    CHECK(status("application/json", "identity") == 0);
    CHECK(status("application/json", "gzip") == 415);
    CHECK(status("text/plain", "") == 415);
    CHECK(status("", "") == 415);
}
