#include <tiktrend/fetch/address_guard.hpp>

#include <ifaddrs.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

namespace tiktrend::fetch {

std::vector<boost::asio::ip::address> own_addresses() {
    namespace ip = boost::asio::ip;
    ifaddrs* raw = nullptr;
    if (getifaddrs(&raw) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list{raw, &freeifaddrs};
    std::vector<ip::address> out;
    for (const auto* i = raw; i != nullptr; i = i->ifa_next) {
        if (i->ifa_addr == nullptr) continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            sockaddr_in v4{};
            std::memcpy(&v4, i->ifa_addr, sizeof v4);
            out.emplace_back(ip::address_v4{ntohl(v4.sin_addr.s_addr)});
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            sockaddr_in6 v6{};
            std::memcpy(&v6, i->ifa_addr, sizeof v6);
            ip::address_v6::bytes_type bytes;
            std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
            out.emplace_back(ip::address_v6{bytes});
        }
    }
    return out;
}

} // namespace tiktrend::fetch
