#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace tiktrend::gateway {

/// Attached to a request that carries an Idempotency-Key. The handler reads the name and says the rest.
struct idempotent_request {
    /// Names the request, for what must not exist twice (a job's id): "ik-", 32 hex digits of SHA-256 over
    /// principal, method, path and key, "-" and 12 random ones of this use of the key. All runs in the key's
    /// time have the same name; a key that is used again after it has another.
    std::string name;
    /// Set before the first effect: should the request fail from here on, what it did is not known, and
    /// another run must have the same name.
    bool has_begun = false;
    /// The longest body that is kept; an answer above it is made anew by running again. What a caller can
    /// have kept is bounded by what it may start, so a handler that allows more names its price.
    std::size_t max_kept_body = 4096;
};

struct idempotency_options {
    std::chrono::milliseconds longest{60'000};     ///< a request may run; above HTTP_HANDLER_TIMEOUT
    std::chrono::milliseconds kept{24 * 3600'000}; ///< a key and its answer are kept
};

/// Makes a route safe to repeat (draft-ietf-httpapi-idempotency-key-header-07), over all gateways: the first
/// request of a key runs, and its answer (2xx) is kept in Redis and repeated with `Idempotent-Replayed:
/// true`; while it runs others get 409 with Retry-After, with another body 422. A request that failed before
/// it did anything leaves nothing; one whose outcome is open may run again under the same name. A key belongs
/// to a principal, method and path.
///
/// It lives in the queue's Redis: that one does not evict, and is as durable as the jobs themselves. Without
/// it requests with a key get 503. Owned by one executor; the client must outlive it.
class idempotency {
public:
    idempotency(redis::client& client, observe::registry& metrics, logger log,
                idempotency_options options = idempotency_options{});

    /// `next`, once a key. Behind authenticator::require(). Requests without the header pass.
    http::handler once(http::handler next);

private:
    struct entry;
    enum class ending;
    task<http::response> run(http::request& r, const http::handler& next);
    task<http::response> run_with_key(http::request& r, std::string key, const http::handler& next);
    task<void> end(const entry& e, ending how, const http::response& answer);

    redis::client& client_;
    observe::counter_family& outcomes_;
    logger log_;
    idempotency_options options_;
};

} // namespace tiktrend::gateway
