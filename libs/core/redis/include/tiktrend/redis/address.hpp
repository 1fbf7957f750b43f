#pragma once
#include <tiktrend/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::redis {

/// One server of a topology.
struct endpoint {
    std::string host;
    std::uint16_t port = 6379;
    std::string to_string() const; ///< "host:port", an IPv6 address in brackets
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// How the servers behind an address belong together.
enum class topology {
    standalone,
    sentinel, ///< connections go to the master that the sentinels name
              ///< (redis.io/docs/reference/sentinel-clients)
    cluster,  ///< commands go to the node that owns their key's slot (redis.io/docs/reference/cluster-spec)
};

/// Where a Redis is and who we are there.
struct address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string unix_path; ///< not empty: a Unix socket instead of host and port
    bool tls = false;      ///< verify the peer's certificate and host name
    std::string ca_file;   ///< PEM file for TLS; empty: the system's
    std::string user;      ///< ACL user; empty: "default"
    std::string password;  ///< empty: no AUTH
    int database = 0;      ///< 0 in a cluster, which has no others

    topology kind = topology::standalone;
    std::vector<endpoint>
        nodes;          ///< the sentinels, or some nodes of the cluster; host and port are not used then
    std::string master; ///< sentinel: the name of the master
    std::string sentinel_user;     ///< ACL user at the sentinels themselves
    std::string sentinel_password; ///< empty: no AUTH there

    /// For messages: no password in it.
    std::string to_string() const;
};

/// One of
///   redis://[user[:password]@]host[:port][/db], rediss://… (TLS; ?ca=FILE),
///   unix://[user[:password]@]/path/to/socket[?db=N]
///   redis+sentinel://[user[:password]@]host[:port],host[:port]…/master[/db][?sentinel_user=U&sentinel_password=P]
///     (the ports are 26379 unless said), rediss+sentinel://… (TLS to sentinels and master)
///   redis+cluster://[user[:password]@]host[:port],host[:port]…, rediss+cluster://…
/// errc::bad_url if it is none of these.
result<address> parse_url(std::string_view url);

/// `a` with the one server `node` of it, for a connection of its own.
address at_node(const address& a, const endpoint& node);

} // namespace tiktrend::redis
