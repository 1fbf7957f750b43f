#include <tiktrend/base/digest.hpp>

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace tiktrend {
namespace {

struct context_deleter {
    void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
};
using context_ptr = std::unique_ptr<EVP_MD_CTX, context_deleter>;

context_ptr make_context() {
    context_ptr c{EVP_MD_CTX_new()};
    if (!c || EVP_DigestInit_ex(c.get(), EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 is not available");
    return c;
}

} // namespace

/// The context is kept, since looking the algorithm up takes OpenSSL longer than hashing a short text.
sha256_digest sha256(std::string_view bytes) {
    thread_local const context_ptr context = make_context();
    sha256_digest out{};
    unsigned int size = 0;
    if (EVP_DigestInit_ex(context.get(), nullptr, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), out.data(), &size) != 1 || size != out.size())
        throw std::runtime_error("SHA-256 failed");
    return out;
}

std::string sha256_hex(std::string_view bytes) {
    return to_hex(bytes_of(sha256(bytes)));
}

std::string_view bytes_of(const sha256_digest& digest) noexcept {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

} // namespace tiktrend
