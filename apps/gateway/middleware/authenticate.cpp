#include "middleware/authenticate.hpp"

#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>
#include <cstring>

namespace tiktrend::gateway {
namespace {

constexpr std::size_t max_remembered = 10'000;
constexpr std::size_t max_token_bytes = 8192;
constexpr std::chrono::seconds rest{
    1}; ///< of a store that could not be asked: not every request waits for it

http::problem unauthorized(std::string code, std::string detail, bool token_was_sent) {
    // RFC 6750 section 3.1: without a token there is no error code in the challenge.
    return http::problem(401, std::move(code), std::move(detail))
        .with_header("WWW-Authenticate", token_was_sent ? R"(Bearer realm="tiktrend", error="invalid_token")"
                                                        : R"(Bearer realm="tiktrend")");
}

/// The token of `Authorization: Bearer <token>`; the scheme is compared without case (RFC 9110 11.1).
std::string_view bearer_token(std::string_view header) {
    constexpr std::string_view scheme = "bearer ";
    if (header.size() <= scheme.size()) return {};
    const bool same = std::equal(scheme.begin(), scheme.end(), header.begin(),
                                 [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    if (!same) return {};
    header.remove_prefix(scheme.size());
    while (!header.empty() && header.front() == ' ')
        header.remove_prefix(1);
    return header;
}

} // namespace

std::size_t digest_hash::operator()(const key_digest& d) const noexcept {
    std::size_t out = 0;
    std::memcpy(&out, d.data(), sizeof out); // as good as any hash of it
    return out;
}

authenticator::authenticator(lookup find, std::chrono::seconds remember, const wall_clock& clock)
    : find_{std::move(find)}, remember_{remember}, clock_{clock} {}

void authenticator::end(std::string credential) {
    std::erase_if(known_, [&](const auto& entry) { return entry.second.who->credential == credential; });
    if (ended_.size() >= max_remembered) ended_.clear();
    ended_.insert(std::move(credential));
}

std::chrono::steady_clock::time_point authenticator::remembered_until(const principal& who,
                                                                      std::chrono::milliseconds life) const {
    if (who.expires_ms) life = std::min(life, std::chrono::milliseconds{*who.expires_ms - clock_.now_ms()});
    return std::chrono::steady_clock::now() + life;
}

http::handler authenticator::require(std::string scope, http::handler next) {
    return [this, scope = std::move(scope), next = std::move(next)](http::request& r) {
        // Who is remembered, and most are, needs no coroutine.
        auto who = find_remembered(r);
        return who ? enter(r, std::move(who), scope, next) : check(r, scope, next);
    };
}

std::shared_ptr<principal> authenticator::find_remembered(const http::request& r) const {
    const auto token = bearer_token(r.headers.get("authorization"));
    if (token.empty() || token.size() > max_token_bytes) return nullptr;
    const auto it = known_.find(sha256(token));
    if (it == known_.end() || it->second.until <= std::chrono::steady_clock::now()) return nullptr;
    return it->second.who;
}

task<std::shared_ptr<principal>> authenticator::identify(const http::request& r) {
    const auto header = r.headers.get("authorization");
    if (header.empty())
        throw unauthorized("not_authenticated", "Send an API key or a token as 'Authorization: Bearer ...'.",
                           false);
    const auto token = bearer_token(header);
    if (token.empty() || token.size() > max_token_bytes)
        throw unauthorized("invalid_token", "The Authorization header is not 'Bearer <key>'.", true);
    const auto id = sha256(token);
    const auto now = std::chrono::steady_clock::now();
    std::optional<principal> found;
    std::exception_ptr unavailable;
    try {
        found = co_await find_(std::string{token}, r.remote_address);
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        unavailable = std::current_exception();
    }
    const auto before = known_.find(id); // end() may have taken it meanwhile
    if (unavailable) {
        if (before == known_.end() || before->second.at_worst_until <= now)
            std::rethrow_exception(unavailable);
        before->second.until =
            std::min(before->second.at_worst_until, std::chrono::steady_clock::now() + rest);
        co_return before->second.who;
    }
    if (!found || ended_.contains(found->credential)) {
        if (before != known_.end()) known_.erase(before);
        throw unauthorized("invalid_token", "The API key or token is unknown, expired or was revoked.", true);
    }
    auto who = std::make_shared<principal>(std::move(*found));
    if (known_.size() >= max_remembered) known_.clear();
    known_[id] = {who, remembered_until(*who, remember_), remembered_until(*who, grace)};
    co_return who;
}

task<http::response> authenticator::check(http::request& r, std::string_view scope,
                                          const http::handler& next) {
    auto who = co_await identify(r);
    co_return co_await enter(r, std::move(who), scope, next);
}

task<http::response> authenticator::enter(http::request& r, std::shared_ptr<principal> who,
                                          std::string_view scope,
                                          const http::handler& next) { // no coroutine
    if (!scope.empty() && !who->may(scope))
        throw http::problem(403, "insufficient_scope",
                            "This credential may not do that; it needs the scope '" + std::string{scope} +
                                "'.")
            .with_header("WWW-Authenticate",
                         R"(Bearer realm="tiktrend", error="insufficient_scope", scope=")" +
                             std::string{scope} + '"');
    if (!seen_.contains(who->id)) seen_.insert(who->id);
    r.attach(std::move(who));
    return next(r);
}

} // namespace tiktrend::gateway
