#pragma once
#include "middleware/principal.hpp"

#include <tiktrend/base/clock.hpp>
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

/// SHA-256 of a token: what is remembered of it.
using key_digest = std::array<unsigned char, 32>;
struct digest_hash {
    std::size_t operator()(const key_digest& d) const noexcept;
};

/// Checks RFC 6750 bearer tokens and remembers the good ones for a short while, so that a busy client costs
/// one look-up in `remember`. A credential that ends is refused at once where end() is called (the
/// cache's invalidation channel does), and after `remember` at the latest. Bad tokens are not remembered.
/// While the store cannot be asked, who was good within `grace` stays so: cached answers outlive the
/// database, and so must those who may read them.
class authenticator {
public:
    /// Finds and verifies a token that came from this address; nothing if it is unknown, wrong, expired or
    /// revoked. Throws when the store is unavailable, or a problem of its own (429).
    using lookup = std::function<task<std::optional<principal>>(std::string token, std::string address)>;

    static constexpr std::chrono::minutes grace{15};

    explicit authenticator(lookup find, std::chrono::seconds remember = std::chrono::seconds{10},
                           const wall_clock& clock = system_wall_clock());

    /// `next`, for callers who may `scope`; an empty scope: for everybody who is known. 401 and 403 as RFC
    /// 6750 section 3 says.
    http::handler require(std::string scope, http::handler next);

    /// "key:<id>" was revoked: it is refused from now on, also where a replica that lags still knows it.
    void end(std::string credential);
    /// It expired, or end() was called for it: for answers that go on for long after check.
    bool has_ended(const principal& who) const {
        return (who.expires_ms && *who.expires_ms <= clock_.now_ms()) || ended_.contains(who.credential);
    }
    /// Every remembered credential is looked up again.
    void forget_all() { known_.clear(); }

    /// Ids of principals seen since the last call (for the gauge of active users).
    std::set<std::string> take_seen() { return std::exchange(seen_, {}); }

private:
    /// Null: identify() has to look, or to refuse.
    std::shared_ptr<principal> find_remembered(const http::request& r) const;
    task<http::response> check(http::request& r, std::string_view scope, const http::handler& next);
    task<std::shared_ptr<principal>> identify(const http::request& r);
    task<http::response> enter(http::request& r, std::shared_ptr<principal> who, std::string_view scope,
                               const http::handler& next);
    /// Not beyond the end of the credential itself.
    std::chrono::steady_clock::time_point remembered_until(const principal& who,
                                                           std::chrono::milliseconds life) const;

    struct remembered {
        std::shared_ptr<principal> who;
        std::chrono::steady_clock::time_point until;
        std::chrono::steady_clock::time_point at_worst_until; ///< while the store is unavailable
    };
    lookup find_;
    std::chrono::seconds remember_;
    const wall_clock& clock_;
    std::unordered_map<key_digest, remembered, digest_hash> known_; ///< no token stays in memory
    std::set<std::string, std::less<>> ended_;                      ///< bounded: emptied at 10,000 entries
    std::set<std::string> seen_;
};

} // namespace tiktrend::gateway
