#pragma once
#include <tiktrend/http/message.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// Who is asking. Attached to the request for handlers. Limits, quotas and jobs belong to users, so that a
/// second key gives nobody a second allowance.
struct principal {
    std::string id;         ///< "user:<id>"
    std::string credential; ///< "key:<id>" or "jwt"
    std::int64_t user_id = 0;
    std::set<std::string, std::less<>> scopes; ///< read, scrape, copy, admin, metrics
    std::optional<std::int64_t> expires_ms;    ///< when the credential ends

    bool is_admin() const { return scopes.contains("admin"); }
    bool may(std::string_view scope) const { return scopes.contains(scope) || is_admin(); }
    /// What is another user's answers 404 to everybody but administrators.
    bool may_see(std::int64_t owner) const { return owner == user_id || is_admin(); }
};

/// The caller of a route behind authenticator::require().
inline const principal& principal_of(const http::request& r) {
    const auto* who = r.attached<principal>();
    if (!who) throw std::logic_error("the route is not behind authenticator::require()");
    return *who;
}

} // namespace tiktrend::gateway
