#include "token_verifier.hpp"

#include <tiktrend/catalog/scopes.hpp>

namespace tiktrend::gateway {
namespace {

access::key_source_options source_options(const jwt_settings& s, const logger& log) {
    access::key_source_options o;
    o.location = s.jwks;
    o.refresh = s.jwks_refresh;
    o.between_misses = s.jwks_min_interval;
    o.ca_file = s.jwks_ca_file;
    o.log = log;
    return o;
}

} // namespace

token_verifier::token_verifier(asio::any_io_executor executor, const jwt_settings& settings,
                               const catalog::user_store& users, logger log, const wall_clock& clock)
    : settings_{settings}, users_{users}, log_{std::move(log)}, clock_{clock} {
    if (!settings.jwks.empty()) keys_.emplace(executor, source_options(settings, log_));
}

void token_verifier::start() {
    if (keys_) keys_->start();
}

task<void> token_verifier::stop() {
    if (keys_) co_await keys_->stop();
}

task<std::optional<principal>> token_verifier::find(std::string token) {
    auto keys = keys_ ? keys_->keys() : nullptr;
    auto claims = access::verify_jwt(token, settings_.rules, keys.get(), clock_.now_ms());
    if (!claims && claims.error() == access::errc::unknown_key && keys_) {
        co_await keys_->refresh_for_miss(); // the issuer may have changed its keys
        keys = keys_->keys();
        claims = access::verify_jwt(token, settings_.rules, keys.get(), clock_.now_ms());
    }
    if (!claims) {
        log_.info("token_refused", {{"reason", claims.error().message()}});
        co_return std::nullopt;
    }
    const auto user = co_await users_.find_by_subject(claims->subject);
    if (!user) {
        log_.info("token_refused", {{"reason", "no user has this subject"}});
        co_return std::nullopt;
    }
    principal who;
    who.id = "user:" + std::to_string(user->id);
    who.credential = "jwt";
    who.user_id = user->id;
    who.expires_ms = claims->expires_ms + std::chrono::milliseconds{settings_.rules.leeway}.count();
    for (const auto& name : claims->scopes)
        if (catalog::parse_scope(name) && (name != "admin" || user->role == catalog::user_role::admin))
            who.scopes.insert(name);
    co_return who;
}

} // namespace tiktrend::gateway
