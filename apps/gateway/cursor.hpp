#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// Opaque page cursors: base64url(payload || first 16 bytes of HMAC-SHA256(secret, scope || 0 || payload)).
/// The scope binds a cursor to the list it came from (route and filters), so that it cannot be used with
/// other filters.
class cursor_signer {
public:
    explicit cursor_signer(std::string secret) : secret_{std::move(secret)} {}
    std::string sign(std::string_view scope, std::string_view payload) const;
    /// The payload, or nothing if the text was not made by sign() with this secret and scope. Compares in
    /// constant time.
    std::optional<std::string> open(std::string_view scope, std::string_view cursor) const;

private:
    std::string mac(std::string_view scope, std::string_view payload) const;
    std::string secret_;
};

} // namespace tiktrend::gateway
