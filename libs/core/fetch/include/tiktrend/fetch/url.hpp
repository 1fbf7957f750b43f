#pragma once
#include <tiktrend/base/error.hpp>
#include <tiktrend/fetch/failure.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::fetch {

/// An absolute http or https URL in the one form that is both checked and fetched: parsed by libcurl's own
/// parser (never by a second one), host in lower-case ASCII without a trailing dot, numeric IPv4 forms
/// written out, fragment removed.
struct url {
    std::string text;   ///< the whole, as given to libcurl
    std::string scheme; ///< "http" or "https"
    std::string host;   ///< name, IPv4 text, or IPv6 text without brackets
    std::uint16_t port = 0;
    bool is_literal = false; ///< the host is an address
    std::string target;      ///< path and query

    /// "https://shop.test:8443", the unit of "same host" for redirects and secrets.
    std::string origin() const;
    /// Without the query: fit for logs and error messages.
    std::string for_log() const;
};

inline constexpr std::size_t max_url_bytes = 8192;

/// Parses and normalises. failure_kind::bad_url or scheme_forbidden otherwise (scraping rules: user info,
/// backslashes, blanks, control characters, empty hosts, port 0, hosts over 253 bytes and IPv6 zone ids are
/// refused).
result<url, failure_kind> parse_url(std::string_view text);

/// What `location` (RFC 9110 section 10.2.2) means on a page at `base`. Blanks and non-ASCII bytes are
/// percent-encoded, as browsers do.
result<url, failure_kind> resolve(const url& base, std::string_view location);

} // namespace tiktrend::fetch
