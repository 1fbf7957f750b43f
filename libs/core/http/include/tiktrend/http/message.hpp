#pragma once
// Requests and responses as handlers see them: no Beast types.
#include <tiktrend/base/asio.hpp>
#include <tiktrend/http/headers.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::http {

enum class method : std::uint8_t { get, head, post, put, patch, delete_, options, other };
/// "GET" …; "OTHER" for method::other, which is also its label in metrics.
std::string_view to_string(method m) noexcept;
/// Exact, as method names are case-sensitive (RFC 9110 section 9.1).
method parse_method(std::string_view text) noexcept;

/// One request, whole. `path` and `query` are the target split at '?', still percent-encoded; decoded
/// parameters come from the router (path) and from query_params (query). It belongs to its connection, stays
/// where it is and is reused for the next request: handlers keep no reference to it past their response.
struct request {
    request() = default;
    request(const request&) = delete; // the views point into it
    request& operator=(const request&) = delete;

    http::method method = method::get;
    std::string method_text;
    std::string
        target; ///< origin form; the scheme and authority of an absolute form were checked and removed
    std::string_view path;           ///< into target
    std::string_view query;          ///< into target, without '?'
    http::headers headers;           ///< without trailers, which are dropped
    std::string body;                ///< decoded from its transfer coding
    std::string remote_address;      ///< the client's address as text, after trusted proxies
    bool from_trusted_proxy = false; ///< the peer is one of server_options::trusted_proxies
    bool keep_alive = true;
    int minor_version = 1;      ///< HTTP/1.x
    std::uint64_t bytes_in = 0; ///< request line, headers and body as they came

    // Filled on the way in by the server, the router and middleware.
    std::string request_id; ///< the caller's X-Request-Id if a trusted proxy sent a well-formed one, else a
                            ///< new UUIDv7
    std::string_view route; ///< template, e.g. "/products/{id}"; empty: none matched
    std::vector<std::pair<std::string_view, std::string>> path_params; ///< decoded
    std::string_view param(std::string_view name) const noexcept;      ///< path parameter or empty

    /// Sets `target`, `path` and `query` (the server does it; tests make requests of their own).
    void set_target(std::string_view text);

    /// Middleware leaves typed notes for handlers (e.g. the principal): one value a type.
    template <class T>
    void attach(std::shared_ptr<T> value) {
        notes_.emplace_back(type_tag<T>(), std::move(value));
    }
    template <class T>
    T* attached() const noexcept {
        for (const auto& [tag, p] : notes_)
            if (tag == type_tag<T>()) return static_cast<T*>(p.get());
        return nullptr;
    }

    /// Empties everything but the client's address, keeping memory for the next request (large buffers are
    /// given back).
    void reset();

private:
    template <class T>
    static const void* type_tag() noexcept {
        static const char tag = 0;
        return &tag;
    }
    std::vector<std::pair<const void*, std::shared_ptr<void>>> notes_;
};

/// Writes the events of a text/event-stream response.
class event_stream {
public:
    virtual ~event_stream() = default;
    /// Sends one event; `id` and `event` may be empty. Throws system_error when the client went away or does
    /// not read (server_options::write_timeout).
    virtual task<void> send(std::string_view id, std::string_view event, std::string_view data) = 0;
    /// A comment line, which keeps intermediaries awake.
    virtual task<void> comment(std::string_view text) = 0;
    /// Bytes of the body as they are, for an answer that is passed on.
    virtual task<void> write(std::string bytes) = 0;
    /// True once the server drains: the handler should end its stream soon (the client reconnects elsewhere).
    virtual bool is_draining() const noexcept = 0;
};

/// The connection itself, for answers that no correct server gives. See response::takeover.
class raw_connection {
public:
    virtual ~raw_connection() = default;
    /// Sends bytes as they are. Throws system_error as event_stream::send does.
    virtual task<void> write(std::string_view bytes) = 0;
    /// The connection will be reset (RST) instead of closed after the handler's end.
    virtual void reset_at_end() noexcept = 0;
};

/// One response. The body is a string of its own or shared bytes that a cache owns (sent without a copy). The
/// server adds Date, Content-Length or Transfer-Encoding, Connection and X-Request-Id.
struct response {
    int status = 200;
    http::headers headers;
    std::string body;
    std::shared_ptr<const std::string> shared_body; ///< used instead of `body` when set
    /// Set: the response is a stream of server-sent events written by this function; status and headers go
    /// first. It is cancelled (terminal) when the client goes away and when the server's stop deadline
    /// passes; there is no other bound on its time. The request stays alive for it.
    std::function<task<void>(event_stream&)> stream;
    /// Set: everything else here is ignored and this function writes the whole answer, head included; the
    /// connection ends after it. For servers that misbehave on purpose (tools/demo-shop, tests).
    std::function<task<void>(raw_connection&)> takeover;
    bool close = false; ///< close the connection after it
    /// The exception behind a 500 or 503; the server logs it, the client never sees it.
    std::exception_ptr failure;

    std::string_view body_view() const noexcept {
        return shared_body ? std::string_view{*shared_body} : std::string_view{body};
    }

    static response json(int status, std::string body);
    static response text(int status, std::string body, std::string_view type = "text/plain; charset=utf-8");
    static response empty(int status);
};

} // namespace tiktrend::http
