#pragma once
#include <boost/asio/ip/address.hpp>

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

namespace tiktrend::fetch {

// What libcurl is about to connect to.
inline std::optional<boost::asio::ip::address> address_of(const curl_sockaddr& a) {
    if (a.family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &a.addr, sizeof v4);
        return boost::asio::ip::address_v4{ntohl(v4.sin_addr.s_addr)};
    }
    if (a.family == AF_INET6) {
        sockaddr_in6 v6{};
        // curl_sockaddr declares a plain sockaddr, but libcurl stores addrlen bytes there.
        std::memcpy(&v6, reinterpret_cast<const char*>(&a.addr), std::min<std::size_t>(sizeof v6, a.addrlen));
        boost::asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return boost::asio::ip::address_v6{bytes};
    }
    return {};
}

inline std::uint16_t port_of(const curl_sockaddr& a) {
    sockaddr_in raw{}; // the port is at the same place in sockaddr_in6
    std::memcpy(&raw, reinterpret_cast<const char*>(&a.addr), sizeof raw);
    return ntohs(raw.sin_port);
}

} // namespace tiktrend::fetch
