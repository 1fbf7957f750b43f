#pragma once
#include <tiktrend/http/message.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::http {

/// Answers one request. The request lives until the response was sent. May throw http::problem; any other
/// exception becomes a 500 without details and is logged. It is cancelled (terminal) past
/// server_options::handler_timeout.
using handler = std::function<task<response>(request&)>;

/// Wraps what comes after it: middleware(request, next). `next` gives a response even where the handler
/// threw, so that middleware can count and log every outcome.
using middleware = std::function<task<response>(request&, const handler& next)>;

/// What looks at requests and answers without waiting, around all middleware: it costs a call, where
/// middleware costs two coroutines. Either function may be empty.
struct filter {
    /// Before anything else. What it gives is the answer, and nothing behind this filter sees the request.
    std::function<std::optional<response>(request&)> before{};
    /// The answer, whoever gave it: once for each request that this filter's `before` let pass. Must not
    /// throw.
    std::function<void(request&, response&)> after{};
};

/// Routes by method and path template ("/products/{id}"; a segment is literal or a parameter, which is never
/// empty). Literal beats parameter. Unknown path: 404; known path, other method: 405 with Allow; OPTIONS and
/// HEAD come by themselves (also "OPTIONS *"). A path with broken percent-encoding, an encoded NUL or bytes
/// that are not UTF-8 is 400. Built before the server starts; then read-only, and safe to share between
/// threads.
class router {
public:
    router();
    ~router();
    router(router&&) noexcept;
    router& operator=(router&&) noexcept;

    /// Throws std::invalid_argument for a malformed template, a route that is there already, or a second name
    /// for the same parameter position.
    router& add(method m, std::string_view path_template, handler h);
    /// Runs around every request, in the order added (the first is the outermost): also around 404, 405 and
    /// automatic OPTIONS.
    router& use(middleware m);
    /// As above; of filters, `before` runs in the order added and `after` in the opposite one.
    router& use(filter f);

    /// The whole answer to one request. Throws only what cancellation throws.
    task<response> handle(request& r) const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// The answer to an exception: a problem's own response, for anything else a 500 problem that keeps the
/// exception as response::failure.
response response_for(const std::exception_ptr& failure, std::string_view request_id);

} // namespace tiktrend::http
