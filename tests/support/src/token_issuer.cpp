#include <tiktrend/testing/token_issuer.hpp>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace tiktrend::testing {
namespace {

EVP_PKEY* as_key(const std::shared_ptr<void>& p) {
    return static_cast<EVP_PKEY*>(p.get());
}

std::string number(EVP_PKEY* key, const char* name) {
    BIGNUM* n = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &n) != 1) throw std::runtime_error("no such number");
    std::vector<unsigned char> bytes(static_cast<std::size_t>(BN_num_bytes(n)));
    BN_bn2bin(n, bytes.data());
    BN_free(n);
    return base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

} // namespace

std::string base64url(std::string_view bytes) {
    static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    unsigned bits = 0;
    int n = 0;
    for (const char c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        n += 8;
        while (n >= 6) {
            n -= 6;
            out += alphabet[bits >> n & 63];
        }
        bits &= (1U << n) - 1;
    }
    if (n > 0) out += alphabet[bits << (6 - n) & 63];
    return out;
}

token_issuer::token_issuer(std::string kid, int bits)
    : kid_{std::move(kid)}, key_{EVP_RSA_gen(static_cast<unsigned>(bits)),
                                 [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }} {
    if (!key_) throw std::runtime_error("cannot make an RSA key");
}

std::string token_issuer::jwk(std::string_view more) const {
    return R"({"kty":"RSA","kid":")" + kid_ + R"(","n":")" + number(as_key(key_), OSSL_PKEY_PARAM_RSA_N) +
           R"(","e":")" + number(as_key(key_), OSSL_PKEY_PARAM_RSA_E) + '"' + std::string{more} + '}';
}

std::string token_issuer::public_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
    PEM_write_bio_PUBKEY(out.get(), as_key(key_));
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string token_issuer::rs256(std::string_view claims, std::string_view header) const {
    const auto standard = R"({"alg":"RS256","typ":"JWT","kid":")" + kid_ + "\"}";
    const auto text =
        base64url(header.empty() ? std::string_view{standard} : header) + '.' + base64url(claims);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, as_key(key_)) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
        throw std::runtime_error("cannot sign");
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                       text.size()) != 1)
        throw std::runtime_error("cannot sign");
    signature.resize(size);
    return text + '.' + base64url(signature);
}

std::string token_issuer::hs256(std::string_view claims, std::string_view secret, std::string_view header) {
    const auto text =
        base64url(header.empty() ? R"({"alg":"HS256","typ":"JWT"})" : header) + '.' + base64url(claims);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
    return text + '.' + base64url({reinterpret_cast<const char*>(mac.data()), size});
}

std::string token_issuer::unsigned_token(std::string_view header, std::string_view claims) {
    return base64url(header) + '.' + base64url(claims) + '.';
}

} // namespace tiktrend::testing
