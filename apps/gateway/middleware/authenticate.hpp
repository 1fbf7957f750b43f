#pragma once
#include <tiktrend/http/router.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace tiktrend::gateway {

/// Who is asking. Attached to the request for handlers.
struct principal {
    std::string id; ///< "key:<id>"
    std::optional<std::int64_t> user_id;
    std::set<std::string, std::less<>> scopes; ///< read, scrape, copy, admin, metrics
    bool may(std::string_view scope) const { return scopes.contains(scope) || scopes.contains("admin"); }
};

/// SHA-256 of an API key: what is remembered of it.
using key_digest = std::array<unsigned char, 32>;

/// Checks API keys (RFC 6750 bearer tokens) and remembers the good ones for a short while, so that a busy
/// client costs one look-up in `remember`. A revoked key therefore works for at most that long. Unknown keys
/// are not remembered.
class authenticator {
public:
    /// Finds and verifies a key; nothing if it is unknown, wrong or revoked. Throws when the store is
    /// unavailable.
    using lookup = std::function<task<std::optional<principal>>(std::string key)>;

    explicit authenticator(lookup find, std::chrono::seconds remember = std::chrono::seconds{10});

    /// `next`, for callers who may `scope`. 401 and 403 as RFC 6750 section 3 says.
    http::handler require(std::string scope, http::handler next);

    /// Ids of principals seen since the last call (for the gauge of active users).
    std::set<std::string> take_seen() { return std::exchange(seen_, {}); }

private:
    task<http::response> check(http::request& r, std::string_view scope, const http::handler& next);
    task<std::shared_ptr<principal>> identify(const http::request& r);

    struct remembered {
        std::shared_ptr<principal> who;
        std::chrono::steady_clock::time_point until;
    };
    struct digest_hash {
        std::size_t operator()(const key_digest& d) const noexcept;
    };
    lookup find_;
    std::chrono::seconds remember_;
    std::unordered_map<key_digest, remembered, digest_hash> known_; ///< no key stays in memory
    std::set<std::string> seen_;
};

} // namespace tiktrend::gateway
