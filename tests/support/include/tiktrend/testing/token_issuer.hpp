#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace tiktrend::testing {

/// RFC 4648 section 5 without padding.
std::string base64url(std::string_view bytes);

/// An issuer of JSON Web Tokens with an RSA key of its own, made with OpenSSL and not with the code under
/// test.
class token_issuer {
public:
    explicit token_issuer(std::string kid, int bits = 2048);

    /// This key's public half as a member of a JWK set; `more` is JSON text of further members
    /// (`,"alg":"RS256"`).
    std::string jwk(std::string_view more = {}) const;
    std::string jwks() const { return R"({"keys":[)" + jwk() + "]}"; }
    /// The public key as PEM, what a confused verifier would take as an HMAC secret.
    std::string public_pem() const;

    /// A token with these JSON texts, signed with the key.
    std::string rs256(std::string_view claims, std::string_view header = {}) const;
    static std::string hs256(std::string_view claims, std::string_view secret, std::string_view header = {});
    /// Not signed at all.
    static std::string unsigned_token(std::string_view header, std::string_view claims);

private:
    std::string kid_;
    std::shared_ptr<void> key_;
};

} // namespace tiktrend::testing
