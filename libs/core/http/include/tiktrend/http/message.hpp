#pragma once
// Requests and responses as handlers see them: no Beast types.
#include <tiktrend/base/asio.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::http {

enum class method : std::uint8_t { get, head, post, put, patch, delete_, options, other };
std::string_view to_string(method m) noexcept;

/// ASCII case-insensitive list of header fields, in order. Small, so look-ups are linear.
class headers {
public:
    struct field {
        std::string name;
        std::string value;
    };
    void set(std::string_view name, std::string_view value);  ///< replaces
    void add(std::string_view name, std::string_view value);  ///< appends
    void erase(std::string_view name);
    /// The first value, or empty. Valid until the headers change.
    std::string_view get(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept;
    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }
    std::size_t size() const noexcept { return fields_.size(); }

private:
    std::vector<field> fields_;
};

/// One request, whole. `path` and `query` are the target split at '?', still percent-encoded; decoded parameters come from
/// the router (path) and from query_params (query).
struct request {
    http::method method = method::get;
    std::string method_text;
    std::string target;
    std::string_view path;   ///< into target
    std::string_view query;  ///< into target, without '?'
    http::headers headers;
    std::string body;
    std::string remote_address; ///< the client's address as text, after trusted proxies
    bool keep_alive = true;
    std::uint64_t bytes_in = 0;

    // Filled on the way in by the router and by middleware.
    std::string request_id;
    std::string_view route;                                          ///< template, e.g. "/products/{id}"; empty: none matched
    std::vector<std::pair<std::string_view, std::string>> path_params; ///< decoded
    std::string_view param(std::string_view name) const noexcept;    ///< path parameter or empty

    /// Middleware leaves typed notes for handlers (e.g. the principal): one value a type.
    template <class T>
    void attach(std::shared_ptr<T> value) { notes_.emplace_back(type_tag<T>(), std::move(value)); }
    template <class T>
    T* attached() const noexcept {
        for (const auto& [tag, p] : notes_)
            if (tag == type_tag<T>()) return static_cast<T*>(p.get());
        return nullptr;
    }

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
    /// Sends one event; `id` and `event` may be empty. Throws system_error when the client went away or does not read.
    virtual task<void> send(std::string_view id, std::string_view event, std::string_view data) = 0;
    /// A comment line, which keeps intermediaries awake.
    virtual task<void> comment(std::string_view text) = 0;
    /// True once the server drains: the handler should end its stream soon (the client reconnects elsewhere).
    virtual bool is_draining() const noexcept = 0;
};

/// One response. The body is a string of its own or shared bytes that a cache owns (sent without a copy).
struct response {
    int status = 200;
    http::headers headers;
    std::string body;
    std::shared_ptr<const std::string> shared_body; ///< used instead of `body` when set
    /// Set: the response is a stream of server-sent events written by this function; status and headers go first.
    std::function<task<void>(event_stream&)> stream;
    bool close = false; ///< close the connection after it

    std::string_view body_view() const noexcept { return shared_body ? std::string_view{*shared_body} : std::string_view{body}; }

    static response json(int status, std::string body);
    static response text(int status, std::string body, std::string_view type = "text/plain; charset=utf-8");
    static response empty(int status);
};

} // namespace tiktrend::http
