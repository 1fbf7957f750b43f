// What stands in header fields: tokens and the keys that verify them, Idempotency-Key with the body's
// canonical form, conditions, codings, consistency tokens. Each is read or refused, by an error code or a 4xx
// problem; and nobody gets in without the key.
#include "canonical_json.hpp"
#include "consistency.hpp"
#include "fuzzing.hpp"
#include "middleware/idempotency_key.hpp"

#include <tiktrend/access/jwt.hpp>
#include <tiktrend/base/base64url.hpp>
#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/conditional.hpp>
#include <tiktrend/http/problem.hpp>

#include <openssl/hmac.h>

namespace tiktrend::fuzz {
namespace {

constexpr std::string_view secret = "a secret of thirty-two bytes or so";
constexpr std::int64_t now_ms = 1'800'000'000'000;

std::string signed_token(std::string_view head, std::string_view claims) {
    auto text = encode_base64url(head) + '.' + encode_base64url(claims);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return text + '.' + encode_base64url({reinterpret_cast<const char*>(mac), size});
}

access::jwt_rules rules(std::string_view key) {
    access::jwt_rules r;
    r.issuer = "https://issuer.test";
    r.audience = "tiktrend";
    r.hs256_secret = key;
    return r;
}

/// A set that is there, so that a token may try to have its public key used as a secret.
const access::key_set& keys() {
    static const auto set = access::parse_key_set(
        R"({"keys":[{"kty":"RSA","alg":"RS256","kid":"k","e":"AQAB","n":"u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u-qKhbwKfBstIs-bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW_VDL5AaWTg0nLVkjRo9z-40RQzuVaE8AkAFmxZzow3x-VJYKdjykkJ0iT9wCS0DRTXu269V264Vf_3jvredZiKRkgwlL9xNAwxXFg0x_XFw005UWVRIkdgcKWTjpBP2dPwVZ4WWC-9aGVd-Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbcmw"}]})");
    require(set.has_value());
    return *set;
}

void check_token(std::string_view token) {
    require(!access::verify_jwt(token, rules(secret), &keys(), now_ms)); // nobody knows the secret
    require(!access::verify_jwt(token, rules({}), &keys(), now_ms));
    require(!access::verify_jwt(token, rules(secret), nullptr, now_ms));
}

/// With a good signature: header and claims are what is looked at.
void check_claims(choices& c) {
    const auto text = c.rest();
    const auto cut = text.find('\n');
    const auto head = cut == std::string_view::npos ? std::string_view{R"({"alg":"HS256","typ":"JWT"})"}
                                                    : text.substr(0, cut);
    const auto claims = cut == std::string_view::npos ? text : text.substr(cut + 1);
    const auto token = signed_token(head, claims);
    const auto read = access::verify_jwt(token, rules(secret), &keys(), now_ms);
    require(!access::verify_jwt(token, rules("another secret of thirty-two bytes"), &keys(), now_ms));
    if (!read) return;
    require(!read->subject.empty());
    require(read->expires_ms + 60'000 > now_ms);
    require(head.find("HS256") != std::string_view::npos || head.find('\\') != std::string_view::npos);
}

void check_keys(std::string_view json) {
    const auto set = access::parse_key_set(json);
    if (!set) return;
    require(set->size() >= 1);
    require(!set->verify_rs256("", "text", "no signature"));
    require(!set->verify_rs256("k", "text", std::string(256, 'x')));
}

const gateway::cursor_signer& signer() {
    static const gateway::cursor_signer s{std::string{secret}};
    return s;
}

/// A problem with a 4xx status is the other allowed end.
template <class F>
void read(F f) {
    try {
        f();
    } catch (const http::problem& p) {
        require(p.status() >= 400 && p.status() < 500);
    }
}

/// Sets the field unless it could not come over the wire so.
bool set_field(http::request& r, const char* name, std::string_view value) {
    try {
        r.headers.set(name, value);
        return true;
    } catch (const std::invalid_argument&) {
        return false;
    }
}

void check_fields(std::string_view text) {
    http::request r;
    if (!set_field(r, "Idempotency-Key", text)) return;
    read([&] {
        const auto key = gateway::read_idempotency_key(r);
        require(!key.empty() && key.size() <= 255);
        for (const char c : key)
            require(c > ' ' && c < 0x7f);
    });
    set_field(r, "X-Consistency-Token", text);
    read([&] {
        require(!gateway::consistency_token_of(r, signer())); // nobody knows the secret
    });
    if (const auto token =
            gateway::consistency_token::open(signer(), signer().sign("consistency token", text)))
        require(gateway::consistency_token::open(signer(), token->signed_with(signer()))->at_least ==
                token->at_least);
    set_field(r, "If-None-Match", text);
    static const auto etag = http::weak_etag("a body");
    if (http::is_unmodified(r, etag))
        require(text.find(etag.substr(2)) != std::string_view::npos ||
                text.find('*') != std::string_view::npos);
    http::choose_coding(text);
}

void check_canonical(std::string_view json) {
    const auto once = gateway::canonical_json(json);
    require(gateway::canonical_json(once) == once);
}

} // namespace

std::vector<std::string> seeds() {
    using namespace std::string_literals;
    const auto claims =
        R"({"iss":"https://issuer.test","aud":["tiktrend","x"],"sub":"somebody","exp":1800000600,"nbf":1,"scope":"read scrape"})"s;
    return {
        "\0"s + signed_token(R"({"alg":"none"})", claims),
        "\0"s + "a.b.c",
        "\1"s + claims,
        "\1"s + R"({"alg":"HS256","kid":"k"})" + '\n' + claims,
        "\1"s + R"({"alg":"RS256","kid":"k"})" + '\n' + claims,
        "\1"s + R"({"alg":"HS256","crit":["x"]})" + '\n' + claims,
        "\2"s +
            R"({"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"k","e":"AQAB","n":"u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0t"},{"kty":"EC"}]})",
        "\3\"a-key\"",
        "\3W/\"abc\", \"def\", *",
        "\3gzip;q=0.5, identity;q=0",
        "\00300000001/1800000000000/16/B374D848",
        "\4{\"b\":[1,2.50,true,null],\"a\":{\"c\":\"\\u00e9\"},\"a\":1}"};
}

void check(std::string_view input) {
    choices c{input};
    switch (c.below(5)) {
    case 0:
        return check_token(c.rest());
    case 1:
        return check_claims(c);
    case 2:
        return check_keys(c.rest());
    case 3:
        return check_fields(c.rest());
    default:
        return check_canonical(c.rest());
    }
}

} // namespace tiktrend::fuzz
