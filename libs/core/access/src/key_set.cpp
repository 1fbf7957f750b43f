#include <tiktrend/access/key_set.hpp>
#include <tiktrend/base/base64url.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <simdjson.h>

#include <optional>

namespace tiktrend::access {
namespace {

namespace dom = simdjson::dom;

constexpr int min_bits = 2048;
constexpr int max_bits = 8192;
constexpr std::size_t max_keys = 100;

template <auto Free>
struct freed {
    template <class T>
    void operator()(T* p) const noexcept {
        Free(p);
    }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed<Free>>;

std::optional<std::string_view> text(dom::object o, std::string_view name) {
    std::string_view out;
    if (o.at_key(name).get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

owned<BIGNUM, BN_free> number(dom::object o, std::string_view name) {
    const auto encoded = text(o, name);
    const auto bytes = encoded ? decode_base64url(*encoded) : std::nullopt;
    if (!bytes || bytes->empty() || bytes->size() > max_bits / 8 + 1) return nullptr;
    return owned<BIGNUM, BN_free>{BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes->data()),
                                            static_cast<int>(bytes->size()), nullptr)};
}

/// An EVP_PKEY, or null if the key is not one that we use.
std::shared_ptr<void> rsa_key(dom::object o) {
    if (text(o, "kty") != "RSA" || text(o, "use").value_or("sig") != "sig" ||
        text(o, "alg").value_or("RS256") != "RS256")
        return nullptr;
    const auto n = number(o, "n");
    const auto e = number(o, "e");
    if (!n || !e || BN_num_bits(n.get()) < min_bits || BN_num_bits(n.get()) > max_bits) return nullptr;
    // An exponent of 1 would make every signature valid; a huge one would cost without end.
    if (!BN_is_odd(e.get()) || BN_is_one(e.get()) || BN_num_bits(e.get()) > 64) return nullptr;
    const owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder{OSSL_PARAM_BLD_new()};
    if (!builder || !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) ||
        !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()))
        return nullptr;
    const owned<OSSL_PARAM, OSSL_PARAM_free> params{OSSL_PARAM_BLD_to_param(builder.get())};
    const owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    EVP_PKEY* made = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    return {made, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }};
}

bool verifies(EVP_PKEY* key, std::string_view signed_text, std::string_view signature) {
    const owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
    if (!context) return false;
    EVP_PKEY_CTX* inner = nullptr; // belongs to context
    return EVP_DigestVerifyInit(context.get(), &inner, EVP_sha256(), nullptr, key) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PADDING) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                            signature.size(), reinterpret_cast<const unsigned char*>(signed_text.data()),
                            signed_text.size()) == 1;
}

} // namespace

result<void> key_set::verify_rs256(std::string_view kid, std::string_view signed_text,
                                   std::string_view signature) const {
    const key* found = nullptr;
    for (const auto& k : keys_)
        if (kid.empty() ? keys_.size() == 1 : k.id == kid) {
            found = &k;
            break;
        }
    if (!found) return make_error_code(errc::unknown_key);
    if (!verifies(static_cast<EVP_PKEY*>(found->pkey.get()), signed_text, signature))
        return make_error_code(errc::bad_signature);
    return {};
}

result<key_set> parse_key_set(std::string_view json) {
    dom::parser parser;
    dom::element root;
    dom::array keys;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
        root["keys"].get(keys) != simdjson::SUCCESS)
        return make_error_code(errc::bad_key_set);
    key_set out;
    for (const auto element : keys) {
        dom::object o;
        if (element.get(o) != simdjson::SUCCESS || out.keys_.size() >= max_keys) continue;
        if (auto key = rsa_key(o))
            out.keys_.push_back({std::string{text(o, "kid").value_or("")}, std::move(key)});
    }
    if (out.keys_.empty()) return make_error_code(errc::bad_key_set);
    return out;
}

} // namespace tiktrend::access
