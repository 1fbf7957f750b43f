#include "cursor.hpp"

#include <tiktrend/base/base64url.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace tiktrend::gateway {
namespace {

constexpr std::size_t mac_bytes = 16;

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
    return encode_base64url(std::string{payload} + mac(scope, payload));
}

std::optional<std::string> cursor_signer::open(std::string_view scope, std::string_view cursor) const {
    auto bytes = decode_base64url(cursor);
    if (!bytes || bytes->size() < mac_bytes) return std::nullopt;
    const auto given = bytes->substr(bytes->size() - mac_bytes);
    bytes->resize(bytes->size() - mac_bytes);
    const auto expected = mac(scope, *bytes);
    if (CRYPTO_memcmp(given.data(), expected.data(), mac_bytes) != 0) return std::nullopt;
    return bytes;
}

} // namespace tiktrend::gateway
