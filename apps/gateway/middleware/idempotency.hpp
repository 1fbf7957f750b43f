#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace tiktrend::gateway {

/// Attached to a request that carries an Idempotency-Key.
struct idempotent_request {
    /// Names the request for ever, for what must not exist twice (a job's id): "ik-" and 32 hex digits of
    /// SHA-256 over principal, method, path and key.
    std::string name;
};

struct idempotency_options {
    std::chrono::milliseconds longest{60'000};     ///< a request may run; above HTTP_HANDLER_TIMEOUT
    std::chrono::milliseconds kept{24 * 3600'000}; ///< an answer is kept
};

/// Makes a route safe to repeat (draft-ietf-httpapi-idempotency-key-header-07), over all gateways: the first
/// request of a key runs, and its answer (2xx) is kept in Redis and repeated with `Idempotent-Replayed:
/// true`; while it runs others get 409 with Retry-After, with another body 422. A request that failed leaves
/// nothing, so that it may be tried again. A key belongs to a principal, method and path.
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
    task<http::response> run(http::request& r, const http::handler& next);
    task<http::response> run_with_key(http::request& r, std::string key, const http::handler& next);
    task<void> end(const entry& e, const http::response* answer);

    redis::client& client_;
    observe::counter_family& outcomes_;
    logger log_;
    idempotency_options options_;
};

} // namespace tiktrend::gateway
