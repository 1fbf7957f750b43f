#include "stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using e2e::text;

namespace {

e2e::stack& idle() {
    static e2e::stack s{[] {
        e2e::stack::options o;
        o.with_worker = false;
        return o;
    }()};
    return s;
}

std::string jobs_added(e2e::stack& s) {
    return s.queue_redis().command({"GET", "bull:scraping:id"});
}

struct wrong_body {
    const char* body;
    int status;
    const char* kind; ///< type of the first error; empty for problems without `errors`
};

} // namespace

TEST_CASE("bad input 43: a wrong start request is a problem that names each mistake, and no job", "[e2e]") {
    auto& s = idle();
    const auto c =
        GENERATE(wrong_body{R"({"source":"no.such.source"})", 422, "unknown_source"},
                 wrong_body{R"({})", 422, "missing"}, wrong_body{R"({"source":7})", 422, "string_type"},
                 wrong_body{R"({"source":"demo.shop","colour":"red"})", 422, "extra_forbidden"},
                 wrong_body{R"({"source":"demo.shop","filters":[]})", 422, "dict_type"},
                 wrong_body{R"({"source":"demo.shop","filters":{"nope":1}})", 422, "extra_forbidden"},
                 wrong_body{R"({"source":"demo.shop","priority":-1})", 422, "greater_than_equal"},
                 wrong_body{R"({"source":"demo.shop","priority":2097152})", 422, "less_than_equal"},
                 wrong_body{R"({"source":"demo.shop","attempts":0})", 422, "greater_than_equal"},
                 wrong_body{R"({"source":"demo.shop","attempts":1.5})", 422, "int_type"},
                 wrong_body{R"({"source":"demo.shop","backoff":{"type":"never"}})", 422, "enum"},
                 wrong_body{R"({"source":"demo.shop",})", 400, ""}, wrong_body{"", 400, ""},
                 wrong_body{"null", 422, "dict_type"}, wrong_body{"[1]", 422, "dict_type"},
                 wrong_body{"{\"source\":\"\xff\"}", 400, ""});
    const auto before = jobs_added(s);
    const auto r = s.api().post("/scraping/start", c.body);
    INFO(c.body << " -> " << r.body);
    CHECK(r.status == c.status);
    CHECK(r.header("content-type") == "application/problem+json");
    const auto problem = r.json();
    CHECK(e2e::integer(problem, "status") == c.status);
    CHECK(text(problem, "request_id") == r.header("x-request-id"));
    if (*c.kind) {
        bool found = false;
        for (const auto e : problem["errors"].get_array())
            found = found || text(e, "type") == c.kind;
        CHECK(found);
    }
    CHECK(jobs_added(s) == before);
}

TEST_CASE("bad input 43: type, size and method of a request are checked", "[e2e]") {
    auto& s = idle();
    CHECK(s.api().post("/scraping/start", "{}", {"Content-Type: text/plain"}).status == 415);
    CHECK(s.api().post("/scraping/start", std::string(2 << 20, ' ')).status == 413);
    std::string urls;
    while (urls.size() < 5U << 20)
        urls += R"("https://shop.example/p/one-of-very-many",)";
    const auto many = R"({"source":"generic.product_page","filters":{"url":[)" + urls + R"("x"]}})";
    CHECK(s.api().post("/scraping/start", many).status == 413);
    CHECK(s.api().get("/products", {"X-Big: " + std::string(20'000, 'x')}).status == 431);
    CHECK(s.api().get("/" + std::string(10'000, 'x')).status == 414);
    const auto wrong = s.api().send("DELETE", "/products", "", {});
    CHECK(wrong.status == 405);
    CHECK(wrong.header("allow").find("GET") != std::string::npos);
    CHECK(s.api().get("/nothing/here").status == 404);
    CHECK(s.api().get("/products?limit=1000").status == 422);
    CHECK(s.api().get("/scraping/jobs/12345678").status == 404);
}

TEST_CASE("without a key 401, with the wrong scope 403, and no job", "[e2e]") {
    auto& s = idle();
    const auto before = jobs_added(s);
    const auto none = s.anonymous().post("/scraping/start", R"({"source":"demo.shop"})");
    CHECK(none.status == 401);
    CHECK(none.header("www-authenticate") == R"(Bearer realm="tiktrend")");
    for (const char* key : {"ttk_00000000_0000000000000000000000000000000000000000000", "nonsense", ""}) {
        const auto r = s.anonymous().get("/products", {std::string{"Authorization: Bearer "} + key});
        CHECK(r.status == 401);
        if (*key) CHECK(r.header("www-authenticate").find("invalid_token") != std::string::npos);
    }
    CHECK(s.anonymous().get("/products", {"Authorization: Basic YTpi"}).status == 401);
    const e2e::http_client reader{s.gateway_url(), s.make_key("read")};
    CHECK(reader.get("/products").status == 200);
    const auto refused = reader.post("/scraping/start", R"({"source":"demo.shop"})");
    CHECK(refused.status == 403);
    CHECK(refused.header("www-authenticate").find("insufficient_scope") != std::string::npos);
    CHECK(jobs_added(s) == before);
    CHECK(s.anonymous().get("/health/live").status == 200);
}
