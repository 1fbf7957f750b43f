// The PROXY protocol's header: any bytes are refused or give a header no longer than what was read, the same
// however it is cut.
#include "fuzzing.hpp"
#include "proxy_header.hpp"

namespace tiktrend::fuzz {
namespace {

const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};

} // namespace

std::vector<std::string> seeds() {
    const std::string v4{"\xCB\x00\x71\x07\xC6\x33\x64\x01\x04\x00\x01\xBB", 12};
    return {signature + std::string{"\x21\x11\x00\x0C", 4} + v4,
            signature + std::string{"\x21\x21\x00\x24", 4} + std::string(36, '\1'),
            signature + std::string{"\x20\x00\x00\x00", 4},
            signature + std::string{"\x21\x11\x00\x10", 4} + v4 + "\x04\x01\x01z",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
            signature.substr(0, 5)};
}

void check(std::string_view input) {
    const auto size = http::proxy_header_size(input);
    const auto header = http::parse_proxy_header(input);
    if (size) require(*size >= http::proxy_header::first_size && *size <= http::proxy_header::max_size);
    if (!header) return;
    require(size && header->size == *size && header->size <= input.size());
    const auto exact = http::parse_proxy_header(input.substr(0, header->size));
    require(exact && exact->client == header->client);
    require(!http::parse_proxy_header(input.substr(0, header->size - 1)));
}

} // namespace tiktrend::fuzz
