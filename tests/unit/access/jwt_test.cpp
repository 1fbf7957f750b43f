#include <tiktrend/access/jwt.hpp>
#include <tiktrend/testing/token_issuer.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using testing::token_issuer;

namespace {

constexpr std::int64_t now_ms = 1'795'000'000'000; // seconds: 1795000000
const std::string secret = "0123456789abcdef0123456789abcdef";
const std::string good =
    R"({"iss":"https://idp.test","aud":"tiktrend","sub":"u1","scope":"read scrape","exp":1795000300})";

access::jwt_rules rules() {
    access::jwt_rules r;
    r.issuer = "https://idp.test";
    r.audience = "tiktrend";
    r.hs256_secret = secret;
    return r;
}

const token_issuer& issuer() {
    static const token_issuer instance{"k1"};
    return instance;
}

const access::key_set& keys() {
    static const auto instance = access::parse_key_set(issuer().jwks()).value();
    return instance;
}

error_code check(std::string_view token, const access::jwt_rules& r = rules(),
                 const access::key_set* with = &keys()) {
    const auto out = access::verify_jwt(token, r, with, now_ms);
    return out ? error_code{} : out.error();
}

error_code check_claims(std::string_view claims) {
    return check(token_issuer::hs256(claims, secret));
}

} // namespace

TEST_CASE("a good token says who and what, signed either way", "[unit][access]") {
    for (const auto& token : {issuer().rs256(good), token_issuer::hs256(good, secret)}) {
        const auto c = access::verify_jwt(token, rules(), &keys(), now_ms);
        REQUIRE(c.has_value());
        CHECK(c->subject == "u1");
        CHECK(c->scopes == std::vector<std::string>{"read", "scrape"});
        CHECK(c->expires_ms == 1'795'000'300'000);
        CHECK(access::looks_like_jwt(token));
    }
}

TEST_CASE("a known token of another implementation is good", "[unit][access]") {
    // RFC 7515 appendix A.1: HS256 over claims of 2011, so it is only too old.
    const auto token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    access::jwt_rules r;
    r.hs256_secret =
        "\x03\x23\x35\x4b\x2b\x0f\xa5\xbc\x83\x7e\x06\x65\x77\x7b\xa6\x8f\x5a\xb3\x28\xe6\xf0\x54\xc9\x28\xa9"
        "\x0f\x84\xb2\xd2\x50\x2e\xbf\xd3\xfb\x5a\x92\xd2\x06\x47\xef\x96\x8a\xb4\xc3\x77\x62\x3d\x22\x3d\x2e"
        "\x21\x72\x05\x2e\x4f\x08\xc0\xcd\x9a\xf5\x67\xd0\x80\xa3";
    CHECK(check(token, r) == access::errc::expired);
    r.hs256_secret.back() ^= 1;
    CHECK(check(token, r) == access::errc::bad_signature);
}

TEST_CASE("no algorithm is confused with another, and none is none", "[unit][access]") {
    // The public key as HMAC secret: the classic confusion.
    CHECK(check(token_issuer::hs256(good, issuer().public_pem())) == access::errc::bad_signature);
    auto only_rsa = rules();
    only_rsa.hs256_secret.clear();
    CHECK(check(token_issuer::hs256(good, issuer().public_pem()), only_rsa) == access::errc::unknown_key);
    CHECK(check(token_issuer::hs256(good, ""), only_rsa) == access::errc::unknown_key);
    CHECK(check(issuer().rs256(good), rules(), nullptr) == access::errc::unknown_key);
    for (const char* alg :
         {"none", "None", "NONE", "nOnE", "", "RS512", "PS256", "ES256", "HS512", "hs256"}) {
        const auto header = std::string{R"({"alg":")"} + alg + "\"}";
        CHECK(check(token_issuer::unsigned_token(header, good)) == access::errc::unsupported);
        CHECK(check(token_issuer::hs256(good, secret, header)) == access::errc::unsupported);
        CHECK(check(issuer().rs256(good, header)) == access::errc::unsupported);
    }
    for (const char* header :
         {R"({})", R"({"alg":null})", R"({"alg":["HS256"]})", R"({"alg":"HS256","crit":["b64"],"b64":false})",
          R"({"alg":"HS256","typ":"secevent+jwt"})", R"({"alg":"HS256","typ":7})"})
        CHECK(check(token_issuer::hs256(good, secret, header)) == access::errc::unsupported);
    CHECK(check(token_issuer::hs256(good, secret, R"({"alg":"HS256","typ":"AT+jwt"})")) == error_code{});
    // A key that comes with the token is not looked at.
    const token_issuer stranger{"k1"};
    CHECK(check(stranger.rs256(good, R"({"alg":"RS256","kid":"k1","jwk":)" + stranger.jwk() + "}")) ==
          access::errc::bad_signature);
}

TEST_CASE("a signature covers every byte", "[unit][access]") {
    for (const auto& token : {issuer().rs256(good), token_issuer::hs256(good, secret)}) {
        const auto last_dot = token.rfind('.');
        for (std::size_t i = 0; i < token.size(); i += 7) {
            auto changed = token;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            INFO(i);
            CHECK(check(changed) != error_code{});
        }
        CHECK(check(token.substr(0, last_dot + 1)) == access::errc::bad_signature);
        CHECK(check(token.substr(0, last_dot)) == access::errc::malformed);
        CHECK(check(token + ".") == access::errc::malformed);
        CHECK(check(token + "=") == access::errc::malformed);
        CHECK(check(token + "A") != error_code{});
    }
    CHECK(check("") == access::errc::malformed);
    CHECK(check("..") == access::errc::malformed);
    CHECK(check(token_issuer::hs256("[]", secret)) == access::errc::malformed);
    CHECK(check(token_issuer::hs256("{", secret)) == access::errc::malformed);
    CHECK(check(token_issuer::hs256(R"({"sub":"a","sub":"b","exp":1795000300})", secret)) ==
          access::errc::malformed);
    CHECK(check(token_issuer::hs256(good, secret, R"({"alg":"HS256","alg":"none"})")) ==
          access::errc::malformed);
    CHECK(check(token_issuer::hs256(R"({"x":")" + std::string(9000, 'x') + "\"}", secret)) ==
          access::errc::malformed);
}

TEST_CASE("a token counts in its time, for its audience, from its issuer", "[unit][access]") {
    const auto with = [](std::string_view more) {
        return R"({"iss":"https://idp.test","aud":"tiktrend","sub":"u1",)" + std::string{more} + '}';
    };
    CHECK(check_claims(with(R"("exp":1795000000)")) == error_code{}); // within the leeway of 60 s
    CHECK(check_claims(with(R"("exp":1794999941)")) == error_code{});
    CHECK(check_claims(with(R"("exp":1794999940)")) == access::errc::expired);
    CHECK(check_claims(with(R"("x":1)")) == access::errc::expired); // one that never ends is none of ours
    CHECK(check_claims(with(R"("exp":"1795000300")")) == access::errc::expired);
    CHECK(check_claims(with(R"("exp":1e300)")) == access::errc::expired);
    CHECK(check_claims(with(R"("exp":1795000300.5,"nbf":1795000060)")) == error_code{});
    CHECK(check_claims(with(R"("exp":1795000300,"nbf":1795000061)")) == access::errc::not_yet_valid);
    CHECK(check_claims(with(R"("exp":1795000300,"nbf":"soon")")) == access::errc::malformed);

    const auto audience = [](std::string_view aud) {
        return R"({"iss":"https://idp.test","sub":"u1","exp":1795000300,"aud":)" + std::string{aud} + '}';
    };
    CHECK(check_claims(audience(R"(["other","tiktrend"])")) == error_code{});
    CHECK(check_claims(audience(R"(["other"])")) == access::errc::wrong_audience);
    CHECK(check_claims(audience(R"("tiktrend2")")) == access::errc::wrong_audience);
    CHECK(check_claims(audience("[]")) == access::errc::wrong_audience);
    CHECK(check_claims(audience("null")) == access::errc::wrong_audience);
    CHECK(check_claims(R"({"aud":"tiktrend","sub":"u1","exp":1795000300})") == access::errc::wrong_issuer);
    CHECK(check_claims(R"({"iss":"https://idp.test/","aud":"tiktrend","sub":"u1","exp":1795000300})") ==
          access::errc::wrong_issuer);
    for (const char* sub : {R"("")", "7", "null", R"("a\u0000b")"})
        CHECK(check_claims(R"({"iss":"https://idp.test","aud":"tiktrend","exp":1795000300,"sub":)" +
                           std::string{sub} + '}') == access::errc::no_subject);
}

TEST_CASE("scopes come from the claim that is configured", "[unit][access]") {
    const auto scopes = [](std::string_view claims, std::string claim) {
        access::jwt_rules r;
        r.hs256_secret = secret;
        r.scope_claim = std::move(claim);
        return access::verify_jwt(token_issuer::hs256(claims, secret), r, nullptr, now_ms).value().scopes;
    };
    using list = std::vector<std::string>;
    CHECK(scopes(R"({"sub":"u","exp":1795000300,"scp":["read","copy",7]})", "scp") == list{"read", "copy"});
    CHECK(scopes(R"({"sub":"u","exp":1795000300,"scope":"  read  copy "})", "scope") == list{"read", "copy"});
    CHECK(scopes(R"({"sub":"u","exp":1795000300})", "scope").empty());
    CHECK(scopes(R"({"sub":"u","exp":1795000300,"scope":{"read":1}})", "scope").empty());
}

TEST_CASE("of a key set the usable RSA keys count", "[unit][access]") {
    const token_issuer second{"k2"};
    const token_issuer weak{"weak", 1024};
    const auto set = [](const std::string& members) {
        return access::parse_key_set(R"({"keys":[)" + members + "]}");
    };
    const auto both = set(issuer().jwk(R"(,"alg":"RS256","use":"sig")") + ',' + second.jwk() + ',' +
                          weak.jwk() + R"(,{"kty":"oct","k":"c2VjcmV0","kid":"o"},{"kty":"EC"},7,null)");
    REQUIRE(both.has_value());
    CHECK(both->size() == 2);
    CHECK(check(second.rs256(good), rules(), &*both) == error_code{});
    CHECK(check(issuer().rs256(good), rules(), &*both) == error_code{});
    CHECK(check(second.rs256(good, R"({"alg":"RS256","kid":"k1"})"), rules(), &*both) ==
          access::errc::bad_signature);
    CHECK(check(second.rs256(good, R"({"alg":"RS256","kid":"k3"})"), rules(), &*both) ==
          access::errc::unknown_key);
    CHECK(check(second.rs256(good, R"({"alg":"RS256"})"), rules(), &*both) ==
          access::errc::unknown_key);                                         // which one?
    CHECK(check(issuer().rs256(good, R"({"alg":"RS256"})")) == error_code{}); // the only one

    for (const auto& bad :
         {std::string{}, weak.jwk(), issuer().jwk(R"(,"alg":"RS512")"), issuer().jwk(R"(,"use":"enc")"),
          std::string{R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"},
          std::string{R"({"kty":"RSA","n":7,"e":"AQAB"})"}}) {
        const auto parsed = set(bad);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error() == access::errc::bad_key_set);
    }
    CHECK_FALSE(access::parse_key_set("{}").has_value());
    CHECK_FALSE(access::parse_key_set("no").has_value());
    CHECK_FALSE(access::parse_key_set(R"({"keys":{}})").has_value());
}
