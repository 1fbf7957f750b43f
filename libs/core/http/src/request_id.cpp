#include "request_id.hpp"

#include <tiktrend/base/random.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace tiktrend::http {
namespace {

std::uint64_t seed() {
    const auto bytes = random_bytes(sizeof(std::uint64_t));
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

constexpr auto hex_pairs = [] {
    std::array<char, 512> t{};
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i < 256; ++i) {
        t[2 * i] = digits[i >> 4];
        t[2 * i + 1] = digits[i & 15];
    }
    return t;
}();

} // namespace

request_id_source::request_id_source() : engine_{seed()} {}

void request_id_source::next(std::int64_t unix_ms, std::string& out) {
    // RFC 9562 section 5.7: 48 bits of time, version, 12 random bits, variant, 62 random bits.
    const std::uint64_t high = (static_cast<std::uint64_t>(unix_ms) << 16) | 0x7000U | (engine_() & 0x0FFFU);
    const std::uint64_t low = (engine_() >> 2) | (std::uint64_t{2} << 62);
    out.resize(36);
    char* p = out.data();
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        const auto byte =
            static_cast<std::size_t>((i < 8 ? high >> (56 - 8 * i) : low >> (120 - 8 * i)) & 0xFF);
        *p++ = hex_pairs[2 * byte];
        *p++ = hex_pairs[2 * byte + 1];
    }
}

bool is_request_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    });
}

} // namespace tiktrend::http
