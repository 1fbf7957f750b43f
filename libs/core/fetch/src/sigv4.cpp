#include <tiktrend/base/digest.hpp>
#include <tiktrend/fetch/sigv4.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace tiktrend::fetch {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

std::string hmac_sha256(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
             &size) == nullptr)
        throw std::runtime_error("HMAC-SHA-256 is not available");
    return {reinterpret_cast<const char*>(digest.data()), size};
}

bool is_unreserved(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/// Blanks around are cut, runs of them inside become one.
std::string trimmed(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
        out += c;
    }
    while (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

std::string canonical_query(const pairs& query) {
    pairs encoded;
    for (const auto& [name, value] : query)
        encoded.emplace_back(percent_encode(name, false), percent_encode(value, false));
    std::sort(encoded.begin(), encoded.end());
    std::string out;
    for (const auto& [name, value] : encoded)
        out += (out.empty() ? "" : "&") + name + '=' + value;
    return out;
}

} // namespace

std::string percent_encode(std::string_view text, bool keep_slashes) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c) || (c == '/' && keep_slashes))
            out += c;
        else
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

pairs sign(const sigv4_request& request, const sigv4_key& key, std::chrono::sys_seconds now) {
    const auto time =
        fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
    const auto day = time.substr(0, 8);
    const auto digest = sha256_hex(request.body);

    auto headers = request.headers;
    headers.emplace_back("x-amz-content-sha256", digest);
    headers.emplace_back("x-amz-date", time);
    std::sort(headers.begin(), headers.end());
    std::string canonical_headers;
    std::string names;
    for (const auto& [name, value] : headers) {
        canonical_headers += name + ':' + trimmed(value) + '\n';
        names += (names.empty() ? "" : ";") + name;
    }
    const auto canonical =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, percent_encode(request.path, true),
                    canonical_query(request.query), canonical_headers, names, digest);
    const auto scope = fmt::format("{}/{}/{}/aws4_request", day, key.region, key.service);
    const auto to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, sha256_hex(canonical));

    auto secret = hmac_sha256("AWS4" + key.secret_access_key, day);
    for (const std::string_view part :
         {std::string_view{key.region}, std::string_view{key.service}, std::string_view{"aws4_request"}})
        secret = hmac_sha256(secret, part);
    auto authorization = fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                                     key.access_key_id, scope, names, to_hex(hmac_sha256(secret, to_sign)));
    return {
        {"x-amz-content-sha256", digest}, {"x-amz-date", time}, {"authorization", std::move(authorization)}};
}

} // namespace tiktrend::fetch
