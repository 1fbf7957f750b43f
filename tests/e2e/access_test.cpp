// Users, API keys and whose jobs are whose, over two gateways.
#include "stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using e2e::integer;
using e2e::text;

namespace {

/// One stack and a second gateway for all cases of this file.
struct two_gateways {
    two_gateways()
        : s{[] {
              e2e::stack::options o;
              o.with_worker = false;
              return o;
          }()},
          second{s.start_other_gateway()} {}
    e2e::stack s;
    e2e::stack::other_gateway second;

    static two_gateways& shared() {
        static two_gateways instance;
        return instance;
    }
};

std::string start_body() {
    return R"({"source":"demo.shop","filters":{"shop":"http://127.0.0.1:1"}})";
}

} // namespace

TEST_CASE("an administrator makes users, others do not", "[e2e][access]") {
    auto& s = two_gateways::shared().s;
    const auto made = s.api().post("/users", R"({"email":"ann@example.test","subject":"idp|ann"})");
    INFO(made.body);
    REQUIRE(made.status == 201);
    CHECK(text(made.json(), "email") == "ann@example.test");
    CHECK(text(made.json(), "role") == "user");
    CHECK(text(made.json(), "subject") == "idp|ann");
    CHECK(integer(made.json(), "id") > 0);
    const auto again = s.api().post("/users", R"({"email":"ANN@example.test"})");
    CHECK(again.status == 409);
    CHECK(text(again.json(), "code") == "email_taken");
    const auto subject = s.api().post("/users", R"({"email":"ann2@example.test","subject":"idp|ann"})");
    CHECK(subject.status == 409);
    CHECK(text(subject.json(), "code") == "subject_taken");

    for (const char* body :
         {R"({})", R"({"email":7})", R"({"email":null})", R"({"email":"nobody"})",
          R"({"email":"a b@example.test"})", R"({"email":"a@b@c"})",
          R"({"email":"x@example.test","role":"root"})", R"({"email":"x@example.test","subject":""})",
          R"({"email":"x@example.test","colour":1})", R"({"email":"x@example.test","subject":"a\u0000b"})"}) {
        const auto r = s.api().post("/users", body);
        INFO(body << " -> " << r.body);
        CHECK(r.status == 422);
    }
    CHECK(s.api().post("/users", R"({"email":"')) ; DROP TABLE users; --@example.test"})").status == 422);
    CHECK(s.api().post("/users", R"({"email":"o'neil;--@example.test"})").status == 201);

    const e2e::http_client ann{s.gateway_url(), s.make_key("read,scrape,copy", "ann@example.test")};
    CHECK(ann.post("/users", R"({"email":"bob@example.test"})").status == 403);
    const auto me = ann.get("/users/me");
    REQUIRE(me.status == 200);
    CHECK(text(me.json(), "email") == "ann@example.test");
    CHECK(me.body.find(R"("scopes":["copy","read","scrape"])") != std::string::npos);
    CHECK(s.anonymous().get("/users/me").status == 401);
}

TEST_CASE("a key is shown once, listed without its text, and belongs to one user", "[e2e][access]") {
    auto& s = two_gateways::shared().s;
    const e2e::http_client cleo{s.gateway_url(), s.make_key("read,scrape", "cleo@example.test")};
    const e2e::http_client dan{s.gateway_url(), s.make_key("read", "dan@example.test")};
    const auto made = cleo.post("/api-keys", R"({"name":"laptop","scopes":["read"],"expires_in":3600})");
    INFO(made.body);
    REQUIRE(made.status == 201);
    CHECK(made.header("cache-control") == "no-store");
    const auto key = text(made.json(), "key");
    const auto id = text(made.json(), "id");
    CHECK(key.starts_with("ttk_" + id + "_"));
    CHECK_FALSE(text(made.json(), "expires_at").empty());
    const e2e::http_client laptop{s.gateway_url(), key};
    CHECK(laptop.get("/products").status == 200);
    CHECK(laptop.post("/scraping/start", start_body()).status == 403);

    const auto listed = cleo.get("/api-keys");
    REQUIRE(listed.status == 200);
    CHECK(listed.body.find(id) != std::string::npos);
    CHECK(listed.body.find(key) == std::string::npos);
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM api_keys WHERE to_jsonb(api_keys)::text LIKE '%" +
                                          key.substr(13) + "%'") == "0");

    // Nobody gives away what the credential lacks, or to somebody else.
    const auto more = cleo.post("/api-keys", R"({"scopes":["admin"]})");
    CHECK(more.status == 403);
    CHECK(more.header("www-authenticate") ==
          R"(Bearer realm="tiktrend", error="insufficient_scope", scope="admin")");
    CHECK(laptop.post("/api-keys", R"({"scopes":["scrape"]})").status == 403);
    const auto dan_id = integer(dan.get("/users/me").json(), "id");
    CHECK(cleo.post("/api-keys", R"({"scopes":["read"],"user_id":)" + std::to_string(dan_id) + "}").status ==
          404);
    CHECK(cleo.get("/api-keys?user_id=" + std::to_string(dan_id)).status == 404);
    CHECK(s.api().get("/api-keys?user_id=" + std::to_string(dan_id)).status == 200);
    CHECK(s.api().post("/api-keys", R"({"scopes":["read"],"user_id":999999})").status == 404);
    for (const char* body :
         {R"({})", R"({"scopes":[]})", R"({"scopes":"read"})", R"({"scopes":["all"]})", R"({"scopes":[1]})",
          R"({"scopes":null})", R"({"scopes":["read"],"expires_in":0})",
          R"({"scopes":["read"],"expires_in":1e30})", R"({"scopes":["read"],"user_id":-1})",
          R"({"scopes":["read"],"x":1})"}) {
        const auto r = cleo.post("/api-keys", body);
        INFO(body << " -> " << r.body);
        CHECK(r.status == 422);
    }

    // Another user's key is not there; neither is one that never was.
    for (const auto& other : {id, std::string{"00000000"}, std::string{"%27%3B--"}, std::string(300, 'x')}) {
        const auto r = dan.send("DELETE", "/api-keys/" + other, "", {});
        CHECK(r.status == 404);
        CHECK(text(r.json(), "code") == "api_key_not_found");
    }
    CHECK(laptop.get("/products").status == 200);
    CHECK(cleo.send("DELETE", "/api-keys/" + id, "", {}).status == 204);
    CHECK(cleo.send("DELETE", "/api-keys/" + id, "", {}).status == 404);
}

TEST_CASE("a key never outlives the key that made it, and can be ended with what it made", "[e2e][access]") {
    auto& s = two_gateways::shared().s;
    const e2e::http_client hal{s.gateway_url(), s.make_key("read", "hal@example.test")};
    const auto guest = hal.post("/api-keys", R"({"scopes":["read"],"expires_in":3600})");
    REQUIRE(guest.status == 201);
    const e2e::http_client short_lived{s.gateway_url(), text(guest.json(), "key")};
    const auto end = text(guest.json(), "expires_at");
    const auto for_ever = short_lived.post("/api-keys", R"({"scopes":["read"]})");
    const auto longer = short_lived.post("/api-keys", R"({"scopes":["read"],"expires_in":7200})");
    const auto shorter = short_lived.post("/api-keys", R"({"scopes":["read"],"expires_in":60})");
    REQUIRE(for_ever.status == 201);
    CHECK(text(for_ever.json(), "expires_at") == end);
    CHECK(text(longer.json(), "expires_at") == end);
    CHECK(text(shorter.json(), "expires_at") < end);
    CHECK(text(for_ever.json(), "made_with") == text(guest.json(), "id"));
    CHECK(hal.get("/api-keys").body.find(R"("made_with":")" + text(guest.json(), "id") + '"') !=
          std::string::npos);
    CHECK(text(hal.post("/api-keys", R"({"scopes":["read"]})").json(), "expires_at").empty());

    const e2e::http_client made{s.gateway_url(), text(for_ever.json(), "key")};
    CHECK(made.get("/products").status == 200);
    const auto path = "/api-keys/" + text(guest.json(), "id");
    CHECK(hal.send("DELETE", path + "?descendants=maybe", "", {}).status == 422);
    CHECK(hal.send("DELETE", path + "?descendants=true", "", {}).status == 204);
    CHECK(testing::poll_until(
        [&] { return made.get("/products").status == 401 && short_lived.get("/products").status == 401; },
        std::chrono::milliseconds{1000}));
    CHECK(hal.get("/products").status == 200);
}

TEST_CASE("a revoked key is refused by every gateway within a second", "[e2e][access]") {
    auto& t = two_gateways::shared();
    const auto key = t.s.make_key("read", "eve@example.test");
    const auto id = key.substr(4, 8);
    const e2e::http_client first{t.s.gateway_url(), key};
    const e2e::http_client second{t.second.url, key};
    // Several requests, so that every thread of both gateways remembers the key.
    for (int i = 0; i < 20; ++i) {
        CHECK(first.get("/products").status == 200);
        CHECK(second.get("/products").status == 200);
    }
    const auto refused_by_all = [&] {
        for (int i = 0; i < 8; ++i)
            if (first.get("/products").status != 401 || second.get("/products").status != 401) return false;
        return true;
    };
    REQUIRE(t.s.api().send("DELETE", "/api-keys/" + id, "", {}).status == 204);
    CHECK(testing::poll_until(refused_by_all, std::chrono::milliseconds{1000}));
    const auto r = second.get("/products");
    CHECK(r.header("www-authenticate") == R"(Bearer realm="tiktrend", error="invalid_token")");
}

TEST_CASE("other people's jobs are not there, for administrators they are", "[e2e][access]") {
    auto& s = two_gateways::shared().s;
    const e2e::http_client fay{s.gateway_url(), s.make_key("scrape", "fay@example.test")};
    const e2e::http_client fays_other_key{s.gateway_url(), s.make_key("scrape", "fay@example.test")};
    const e2e::http_client gus{s.gateway_url(), s.make_key("scrape", "gus@example.test")};
    const auto started = fay.post("/scraping/start", start_body());
    INFO(started.body);
    REQUIRE(started.status == 202);
    const auto path = text(started.json(), "status_url");
    CHECK(fay.get(path).status == 200);
    CHECK(fays_other_key.get(path).status == 200);
    CHECK(s.api().get(path).status == 200);
    const auto hidden = gus.get(path);
    CHECK(hidden.status == 404);
    CHECK(text(hidden.json(), "code") == "job_not_found");
    CHECK(gus.get(path + "/events").status == 404);
    // A job that another producer added belongs to nobody.
    s.queue_redis().command({"HSET", "bull:scraping:foreign", "name", "x", "data", "{}", "opts", "{}",
                             "timestamp", "1", "delay", "0", "priority", "0"});
    CHECK(fay.get("/scraping/jobs/foreign").status == 404);
    CHECK(s.api().get("/scraping/jobs/foreign").status == 200);
}
