#pragma once
#include <tiktrend/http/message.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tiktrend::http {

/// Answers one request. The request lives until the response was sent. May throw http::problem; any other exception becomes a
/// 500 without details and is logged.
using handler = std::function<task<response>(request&)>;

/// Wraps what comes after it: middleware(request, next).
using middleware = std::function<task<response>(request&, const handler& next)>;

/// Routes by method and path template ("/products/{id}"; a segment is literal or a parameter). Literal beats parameter.
/// Unknown path: 404; known path, other method: 405 with Allow; OPTIONS and HEAD come by themselves. A path with broken percent-encoding or an
/// encoded NUL is 400. Built before the server starts; then read-only.
class router {
public:
    router();
    ~router();
    router(router&&) noexcept;
    router& operator=(router&&) noexcept;

    router& add(method m, std::string_view path_template, handler h);
    /// Runs around every request that matched, in the order added (the first is the outermost); also around 404 and 405.
    router& use(middleware m);

    /// The whole answer to one request, never throws.
    task<response> handle(request& r) const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::http
