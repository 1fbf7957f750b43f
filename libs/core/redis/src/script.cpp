#include <tiktrend/redis/script.hpp>

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace tiktrend::redis {
namespace {

std::string hex_sha1(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
        throw std::runtime_error("SHA-1 is not available");
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[digest[i] >> 4];
        out += digits[digest[i] & 15];
    }
    return out;
}

} // namespace

script::script(std::string_view name, std::string text)
    : name_{name}, text_{std::move(text)}, sha1_{hex_sha1(text_)} {}

} // namespace tiktrend::redis
