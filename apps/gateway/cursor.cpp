#include "cursor.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace tiktrend::gateway {
namespace {

constexpr std::size_t mac_bytes = 16;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648 section 5, without padding.
std::string encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    unsigned buffer = 0;
    int bits = 0;
    for (const unsigned char c : bytes) {
        buffer = (buffer << 8) | c;
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out += alphabet[(buffer >> bits) & 63];
        }
    }
    if (bits > 0) out += alphabet[(buffer << (6 - bits)) & 63];
    return out;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.reserve(text.size() * 3 / 4);
    unsigned buffer = 0;
    int bits = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        buffer = (buffer << 6) | static_cast<unsigned>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((buffer >> bits) & 255);
        }
    }
    return out;
}

} // namespace

std::string cursor_signer::mac(std::string_view scope, std::string_view payload) const {
    std::string input{scope};
    input += '\0';
    input += payload;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data(), &size);
    return {reinterpret_cast<const char*>(digest.data()), mac_bytes};
}

std::string cursor_signer::sign(std::string_view scope, std::string_view payload) const {
    return encode(std::string{payload} + mac(scope, payload));
}

std::optional<std::string> cursor_signer::open(std::string_view scope, std::string_view cursor) const {
    auto bytes = decode(cursor);
    if (!bytes || bytes->size() < mac_bytes) return std::nullopt;
    const auto given = bytes->substr(bytes->size() - mac_bytes);
    bytes->resize(bytes->size() - mac_bytes);
    const auto expected = mac(scope, *bytes);
    if (CRYPTO_memcmp(given.data(), expected.data(), mac_bytes) != 0) return std::nullopt;
    return bytes;
}

} // namespace tiktrend::gateway
