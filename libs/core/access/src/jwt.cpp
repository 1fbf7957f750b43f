#include <tiktrend/access/jwt.hpp>
#include <tiktrend/base/base64url.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace tiktrend::access {
namespace {

namespace dom = simdjson::dom;

/// The three parts, still encoded.
struct parts {
    std::string_view header, claims, signature, signed_text;
};

std::optional<parts> split(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
        return std::nullopt;
    return parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1), token.substr(0, second)};
}

/// A JSON object without a member twice (RFC 7515 section 4), which two readers could read differently.
std::optional<dom::object> object_of(dom::parser& parser, const std::string& json) {
    dom::element root;
    dom::object out;
    if (parser.parse(json).get(root) != simdjson::SUCCESS || root.get(out) != simdjson::SUCCESS)
        return std::nullopt;
    std::vector<std::string_view> names;
    for (const auto member : out)
        names.push_back(member.key);
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end()) return std::nullopt;
    return out;
}

std::optional<std::string_view> text(dom::object o, std::string_view name) {
    std::string_view out;
    if (o.at_key(name).get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

bool has(dom::object o, std::string_view name) {
    return o.at_key(name).error() == simdjson::SUCCESS;
}

/// A NumericDate: seconds since 1970, perhaps with a fraction (RFC 7519 section 2).
std::optional<std::int64_t> date_ms(dom::object o, std::string_view name) {
    double seconds = 0;
    if (o.at_key(name).get(seconds) != simdjson::SUCCESS) return std::nullopt;
    if (!(std::abs(seconds) < 1e12)) return std::nullopt;
    return static_cast<std::int64_t>(seconds * 1000);
}

bool is_hs256(std::string_view secret, std::string_view signed_text, std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    if (!HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
              reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), mac.data(),
              &size))
        return false;
    return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

result<void> check_signature(dom::object header, const parts& p, std::string_view signature,
                             const jwt_rules& rules, const key_set* keys) {
    const auto algorithm = text(header, "alg");
    if (algorithm == "RS256") {
        if (!keys) return make_error_code(errc::unknown_key);
        return keys->verify_rs256(text(header, "kid").value_or(""), p.signed_text, signature);
    }
    if (algorithm == "HS256") {
        if (rules.hs256_secret.empty()) return make_error_code(errc::unknown_key);
        if (is_hs256(rules.hs256_secret, p.signed_text, signature)) return {};
        return make_error_code(errc::bad_signature);
    }
    return make_error_code(errc::unsupported);
}

/// Tokens made for other purposes are not access tokens (RFC 8725 section 3.11). Compared without case, and
/// "application/" may stand before (RFC 7515 section 4.1.9).
bool is_access_token(dom::object header) {
    if (!has(header, "typ")) return true;
    std::string type{text(header, "typ").value_or("?")};
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
    return type == "jwt" || type == "at+jwt" || type == "application/at+jwt" || type == "application/jwt";
}

bool has_audience(dom::object claims, std::string_view wanted) {
    if (const auto one = text(claims, "aud")) return *one == wanted;
    dom::array several;
    if (claims.at_key("aud").get(several) != simdjson::SUCCESS) return false;
    return std::any_of(several.begin(), several.end(), [&](dom::element e) {
        std::string_view name;
        return e.get(name) == simdjson::SUCCESS && name == wanted;
    });
}

std::vector<std::string> scopes_of(dom::object claims, std::string_view claim) {
    std::vector<std::string> out;
    if (auto list = text(claims, claim)) {
        while (!list->empty()) {
            const auto blank = std::min(list->find(' '), list->size());
            if (blank > 0) out.emplace_back(list->substr(0, blank));
            list->remove_prefix(std::min(blank + 1, list->size()));
        }
        return out;
    }
    dom::array names;
    if (claims.at_key(claim).get(names) != simdjson::SUCCESS) return out;
    for (const auto e : names)
        if (std::string_view name; e.get(name) == simdjson::SUCCESS) out.emplace_back(name);
    return out;
}

result<jwt_claims> check_claims(dom::object claims, const jwt_rules& rules, std::int64_t now_ms) {
    const std::int64_t leeway_ms = std::chrono::milliseconds{rules.leeway}.count();
    const auto expires = date_ms(claims, "exp");
    if (!expires || *expires + leeway_ms <= now_ms) return make_error_code(errc::expired);
    if (has(claims, "nbf")) {
        const auto begins = date_ms(claims, "nbf");
        if (!begins) return make_error_code(errc::malformed);
        if (*begins - leeway_ms > now_ms) return make_error_code(errc::not_yet_valid);
    }
    if (!rules.issuer.empty() && text(claims, "iss") != rules.issuer)
        return make_error_code(errc::wrong_issuer);
    if (!rules.audience.empty() && !has_audience(claims, rules.audience))
        return make_error_code(errc::wrong_audience);
    jwt_claims out;
    out.subject = text(claims, "sub").value_or("");
    if (out.subject.empty() || out.subject.size() > 255 || out.subject.find('\0') != std::string::npos)
        return make_error_code(errc::no_subject);
    out.scopes = scopes_of(claims, rules.scope_claim);
    out.expires_ms = *expires;
    return out;
}

} // namespace

bool looks_like_jwt(std::string_view token) noexcept {
    return token.starts_with("ey") && std::count(token.begin(), token.end(), '.') == 2;
}

result<jwt_claims> verify_jwt(std::string_view token, const jwt_rules& rules, const key_set* keys,
                              std::int64_t now_ms) {
    if (token.size() > max_jwt_bytes) return make_error_code(errc::malformed);
    const auto p = split(token);
    if (!p) return make_error_code(errc::malformed);
    const auto header_json = decode_base64url(p->header);
    const auto claims_json = decode_base64url(p->claims);
    const auto signature = decode_base64url(p->signature);
    if (!header_json || !claims_json || !signature) return make_error_code(errc::malformed);
    dom::parser header_parser;
    const auto header = object_of(header_parser, *header_json);
    if (!header) return make_error_code(errc::malformed);
    // No extension is understood here, so none may be critical (RFC 7515 section 4.1.11). Nor are keys or
    // their addresses taken from the token ("jwk", "jku", "x5u"): they are simply not looked at.
    if (has(*header, "crit") || !is_access_token(*header)) return make_error_code(errc::unsupported);
    if (const auto good = check_signature(*header, *p, *signature, rules, keys); !good) return good.error();
    dom::parser claims_parser;
    const auto claims = object_of(claims_parser, *claims_json);
    if (!claims) return make_error_code(errc::malformed);
    return check_claims(*claims, rules, now_ms);
}

} // namespace tiktrend::access
