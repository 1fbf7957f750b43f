#include <tiktrend/fetch/secrets.hpp>
#include <tiktrend/fetch/sigv4.hpp>

namespace tiktrend::fetch {

std::string masked(std::string text, const std::vector<std::string>& secrets) {
    for (const auto& s : secrets) {
        if (s.empty()) continue;
        for (auto at = text.find(s); at != std::string::npos; at = text.find(s, at + 3))
            text.replace(at, s.size(), "***");
    }
    return text;
}

void add_secret(std::vector<std::string>& secrets, std::string_view secret) {
    if (secret.empty()) return;
    secrets.emplace_back(secret);
    if (auto encoded = percent_encode(secret, false); encoded != secret)
        secrets.push_back(std::move(encoded));
}

} // namespace tiktrend::fetch
