#include <tiktrend/base/base64url.hpp>

#include <cstdint>

namespace tiktrend {
namespace {

int value_of(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '-') return 62;
    if (c == '_') return 63;
    return -1;
}

} // namespace

std::string encode_base64url(std::string_view bytes) {
    static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int n = 0;
    for (const unsigned char c : bytes) {
        bits = (bits << 8 | c) & 0xffff;
        n += 8;
        while (n >= 6) {
            n -= 6;
            out += alphabet[bits >> n & 63];
        }
    }
    if (n > 0) out += alphabet[bits << (6 - n) & 63];
    return out;
}

std::optional<std::string> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int n = 0;
    for (const char c : text) {
        const int v = value_of(c);
        if (v < 0) return std::nullopt;
        bits = (bits << 6 | static_cast<std::uint32_t>(v)) & 0xffff;
        n += 6;
        if (n >= 8) {
            n -= 8;
            out += static_cast<char>(bits >> n & 0xff);
        }
    }
    if (bits & ((1U << n) - 1)) return std::nullopt;
    return out;
}

} // namespace tiktrend
