#pragma once
#include <tiktrend/base/error.hpp>

namespace tiktrend::access {

/// Why a JSON Web Token is refused. For logs and metrics; a client is told `invalid_token` and no more.
enum class errc {
    malformed = 1, ///< not three base64url parts of JSON objects, too long, or a member twice
    unsupported,   ///< an algorithm other than RS256 and HS256 ("none" above all), a critical extension,
                   ///< another type
    unknown_key,   ///< no key of that algorithm and id
    bad_signature,
    expired,       ///< or without "exp"
    not_yet_valid, ///< "nbf" lies ahead
    wrong_issuer,
    wrong_audience,
    no_subject,
    bad_key_set, ///< parse_key_set(): not a JWK set with at least one usable key
};

const boost::system::error_category& category() noexcept;
error_code make_error_code(errc value) noexcept;

} // namespace tiktrend::access

namespace boost::system {
template <>
struct is_error_code_enum<tiktrend::access::errc> : std::true_type {};
} // namespace boost::system
