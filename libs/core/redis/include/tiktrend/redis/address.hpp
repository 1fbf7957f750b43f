#pragma once
#include <tiktrend/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::redis {

/// Where a Redis is and who we are there.
struct address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string unix_path; ///< not empty: a Unix socket instead of host and port
    bool tls = false;      ///< verify the peer's certificate and host name
    std::string ca_file;   ///< PEM file for TLS; empty: the system's
    std::string user;      ///< ACL user; empty: "default"
    std::string password;  ///< empty: no AUTH
    int database = 0;

    /// For messages: no password in it.
    std::string to_string() const;
};

/// redis://[user[:password]@]host[:port][/db], rediss://… (TLS; ?ca=FILE), unix:///path/to/socket[?db=N].
/// errc::bad_url if it is none of these.
result<address> parse_url(std::string_view url);

} // namespace tiktrend::redis
