#pragma once
#include <tiktrend/access/error.hpp>
#include <tiktrend/access/key_set.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::access {

/// Which tokens are believed. Keys are fixed by algorithm: RS256 tokens are checked with the key set and
/// nothing else, HS256 tokens with the secret and nothing else, so that a token cannot choose how a key is
/// used (RFC 8725 section 3.1).
struct jwt_rules {
    std::string issuer;                ///< "iss" must be this; empty: not looked at
    std::string audience;              ///< "aud" must be or hold this; empty: not looked at
    std::string hs256_secret;          ///< empty: HS256 is refused. 32 bytes at least (RFC 7518 section 3.2)
    std::string scope_claim = "scope"; ///< names apart by blanks (RFC 8693 section 4.2), or an array of names
    std::chrono::seconds leeway{60};   ///< clocks may differ by this
};

/// What a good token says.
struct jwt_claims {
    std::string subject;
    std::vector<std::string> scopes;
    std::int64_t expires_ms = 0; ///< Unix time, without leeway
};

inline constexpr std::size_t max_jwt_bytes = 8192;

/// Whether this looks like a token in compact form (RFC 7515 section 3.1), by its shape alone.
bool looks_like_jwt(std::string_view token) noexcept;

/// Checks a JSON Web Token (RFC 7519, RFC 8725): signature first, then what it claims. `keys` may be null:
/// RS256 is then refused with unknown_key. "exp" and "sub" are required. Pure, and takes about 30 µs for
/// RS256.
result<jwt_claims> verify_jwt(std::string_view token, const jwt_rules& rules, const key_set* keys,
                              std::int64_t now_ms);

} // namespace tiktrend::access
