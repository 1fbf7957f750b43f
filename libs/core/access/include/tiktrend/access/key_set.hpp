#pragma once
#include <tiktrend/access/error.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::access {

/// The public RSA keys of an issuer (RFC 7517). Immutable: share it.
class key_set {
public:
    /// Verifies an RS256 signature (RFC 7518 3.3) with the key of that id; an empty id: with the only key.
    /// errc::unknown_key, bad_signature.
    result<void> verify_rs256(std::string_view kid, std::string_view signed_text,
                              std::string_view signature) const;

    std::size_t size() const noexcept { return keys_.size(); }

private:
    friend result<key_set> parse_key_set(std::string_view json);
    struct key {
        std::string id;
        std::shared_ptr<void> pkey; ///< EVP_PKEY
    };
    std::vector<key> keys_;
};

/// Reads a JWK set. Taken are RSA keys for signatures of 2,048 to 8,192 bits whose "alg" is RS256 or absent;
/// others are left out (a set may hold keys for other uses), symmetric ones above all: what an issuer
/// publishes is no secret. errc::bad_key_set if none is left or the text is no JWK set.
result<key_set> parse_key_set(std::string_view json);

} // namespace tiktrend::access
