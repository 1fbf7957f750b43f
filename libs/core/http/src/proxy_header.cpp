#include "proxy_header.hpp"

#include <cstdint>
#include <cstring>

namespace tiktrend::http {
namespace {

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr unsigned local = 0, proxy = 1;
constexpr unsigned inet = 1, inet6 = 2;

unsigned byte_at(std::string_view bytes, std::size_t i) noexcept {
    return static_cast<unsigned char>(bytes[i]);
}

template <class Bytes>
Bytes bytes_at(std::string_view from, std::size_t at) noexcept {
    Bytes out;
    std::memcpy(out.data(), from.data() + at, out.size());
    return out;
}

} // namespace

std::optional<std::size_t> proxy_header_size(std::string_view first) noexcept {
    if (first.size() < proxy_header::first_size || !first.starts_with(signature)) return std::nullopt;
    if (byte_at(first, 12) >> 4U != 2) return std::nullopt;
    const auto size = proxy_header::first_size + (byte_at(first, 14) << 8U | byte_at(first, 15));
    if (size > proxy_header::max_size) return std::nullopt;
    return size;
}

std::optional<proxy_header> parse_proxy_header(std::string_view bytes) noexcept {
    const auto size = proxy_header_size(bytes);
    if (!size || bytes.size() < *size) return std::nullopt;
    proxy_header out;
    out.size = *size;
    const auto command = byte_at(bytes, 12) & 0x0FU;
    if (command == local) return out;
    if (command != proxy) return std::nullopt;
    const auto family = byte_at(bytes, 13) >> 4U;
    const auto transport = byte_at(bytes, 13) & 0x0FU;
    const auto room = *size - proxy_header::first_size;
    if (family == inet) {
        if (transport != 1 || room < 12) return std::nullopt; // TCP; two addresses and two ports
        out.client =
            boost::asio::ip::address_v4{bytes_at<boost::asio::ip::address_v4::bytes_type>(bytes, 16)};
    } else if (family == inet6) {
        if (transport != 1 || room < 36) return std::nullopt;
        out.client =
            boost::asio::ip::address_v6{bytes_at<boost::asio::ip::address_v6::bytes_type>(bytes, 16)};
    }
    return out;
}

} // namespace tiktrend::http
