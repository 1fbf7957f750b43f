// JSON Web Tokens at the gateway's door, signed by a key that is not in the code under test.
#include "stack.hpp"

#include <tiktrend/testing/token_issuer.hpp>

#include <catch2/catch.hpp>

#include <ctime>
#include <fstream>

using namespace tiktrend;
using e2e::text;
using testing::token_issuer;

namespace {

const std::string secret = "a secret of thirty-two bytes ...";
const std::string invalid_token = R"(Bearer realm="tiktrend", error="invalid_token")";

std::string claims(const std::string& subject, const std::string& scopes, std::time_t life = 300,
                   const std::string& audience = "tiktrend", const std::string& issuer = "https://idp.test") {
    return R"({"iss":")" + issuer + R"(","aud":")" + audience + R"(","sub":")" + subject + R"(","scope":")" +
           scopes + R"(","exp":)" + std::to_string(std::time(nullptr) + life) + '}';
}

struct with_issuer {
    testing::temp_dir dir;
    std::filesystem::path file = dir.path() / "jwks.json";
    token_issuer issuer{"k1"};
    e2e::stack s;

    with_issuer() : s{options(file, issuer.jwks())} {
        s.run_cli({"user", "create", "--email", "ann@example.test", "--subject", "idp|ann"});
        s.run_cli(
            {"user", "create", "--email", "root@example.test", "--subject", "idp|root", "--role", "admin"});
    }
    static e2e::stack::options options(const std::filesystem::path& file, const std::string& jwks) {
        std::ofstream{file} << jwks;
        e2e::stack::options o;
        o.with_worker = false;
        o.gateway = {{"JWT_JWKS", file.string()},        {"JWT_ISSUER", "https://idp.test"},
                     {"JWT_AUDIENCE", "tiktrend"},       {"JWT_HS256_SECRET", secret},
                     {"JWT_JWKS_MIN_INTERVAL", "200ms"}, {"RATE_LIMIT_FAILED_AUTH", "100000/1m"}};
        return o;
    }
    static with_issuer& shared() {
        static with_issuer instance;
        return instance;
    }
    e2e::answer get(const std::string& path, const std::string& token) {
        return e2e::http_client{s.gateway_url(), token}.get(path);
    }
};

} // namespace

TEST_CASE("a token opens what its scopes say, for the user it names", "[e2e][jwt]") {
    auto& t = with_issuer::shared();
    for (const auto& token : {t.issuer.rs256(claims("idp|ann", "read")),
                              token_issuer::hs256(claims("idp|ann", "read"), secret)}) {
        const auto me = t.get("/users/me", token);
        INFO(me.body);
        REQUIRE(me.status == 200);
        CHECK(text(me.json(), "email") == "ann@example.test");
        CHECK(t.get("/products", token).status == 200);
        const auto refused =
            e2e::http_client{t.s.gateway_url(), token}.post("/scraping/start", R"({"source":"demo.shop"})");
        CHECK(refused.status == 403);
        CHECK(refused.header("www-authenticate") ==
              R"(Bearer realm="tiktrend", error="insufficient_scope", scope="scrape")");
    }
    // What an issuer writes makes nobody an administrator; the role here does.
    const e2e::http_client ann{t.s.gateway_url(), t.issuer.rs256(claims("idp|ann", "read admin everything"))};
    CHECK(ann.post("/users", R"({"email":"x@example.test"})").status == 403);
    CHECK(ann.get("/users/me").body.find(R"("scopes":["read"])") != std::string::npos);
    const e2e::http_client root{t.s.gateway_url(), t.issuer.rs256(claims("idp|root", "admin"))};
    CHECK(root.post("/users", R"({"email":"x@example.test"})").status == 201);
}

TEST_CASE("a token that is not right is refused, and the client learns no more than that", "[e2e][jwt]") {
    auto& t = with_issuer::shared();
    const token_issuer stranger{"k1"};
    const auto good = claims("idp|ann", "read");
    for (const auto& token :
         {token_issuer::unsigned_token(R"({"alg":"none"})", good),
          token_issuer::hs256(good, t.issuer.public_pem()), token_issuer::hs256(good, "another secret"),
          stranger.rs256(good), t.issuer.rs256(good, R"({"alg":"RS256","kid":"k9"})"),
          t.issuer.rs256(claims("idp|ann", "read", -61)),
          t.issuer.rs256(claims("idp|ann", "read", 300, "another")),
          t.issuer.rs256(claims("idp|ann", "read", 300, "tiktrend", "https://other.test")),
          t.issuer.rs256(claims("idp|nobody", "read")), t.issuer.rs256("{}"), std::string{"ey.ey.ey"},
          "ey" + std::string(8100, 'x') + ".a.b"}) {
        const auto r = t.get("/products", token);
        INFO(token.substr(0, 100) << " -> " << r.body);
        CHECK(r.status == 401);
        CHECK(r.header("www-authenticate") == invalid_token);
        CHECK(text(r.json(), "detail") == "The API key or token is unknown, expired or was revoked.");
    }
    CHECK(t.get("/products", t.issuer.rs256(claims("idp|ann", "read", -30))).status == 200); // clocks differ
}

TEST_CASE("keys that the issuer adds are found, and kept when it fails", "[e2e][jwt]") {
    auto& t = with_issuer::shared();
    const token_issuer next{"k2"};
    const auto good = claims("idp|ann", "read");
    std::ofstream{t.file} << R"({"keys":[)" << t.issuer.jwk() << ',' << next.jwk() << "]}";
    const token_issuer never{"k3"};
    const auto seen_by_all = [&] {
        for (int i = 0; i < 8; ++i) // every thread has keys of its own
            if (t.get("/products", next.rs256(good)).status != 200) return false;
        return true;
    };
    CHECK(testing::poll_until(seen_by_all));
    std::ofstream{t.file} << "broken";
    for (int i = 0; i < 8; ++i)
        CHECK(t.get("/products", never.rs256(good)).status == 401); // reads again, in vain
    for (int i = 0; i < 8; ++i)
        CHECK(t.get("/products", next.rs256(claims("idp|ann", "read copy", 300 + i))).status == 200);
}
