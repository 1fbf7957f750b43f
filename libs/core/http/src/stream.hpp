#pragma once
#include "connection.hpp"

#include <tiktrend/http/message.hpp>

#include <cstdint>
#include <string>

namespace tiktrend::http {

/// Events over one connection (https://html.spec.whatwg.org/multipage/server-sent-events.html), each its own
/// chunk, or plain for an HTTP/1.0 client.
class sse_stream final : public event_stream {
public:
    sse_stream(connection& c, bool chunked) : connection_{c}, chunked_{chunked} {}

    task<void> send(std::string_view id, std::string_view event, std::string_view data) override;
    task<void> comment(std::string_view text) override;
    task<void> write(std::string bytes) override;
    bool is_draining() const noexcept override { return connection_.is_draining(); }

    std::uint64_t bytes_sent() const noexcept { return sent_; }
    /// A send failed: the client left or does not read.
    bool is_broken() const noexcept { return broken_; }

private:
    connection& connection_;
    bool chunked_;
    bool broken_ = false;
    std::uint64_t sent_ = 0;
};

class raw_stream final : public raw_connection {
public:
    explicit raw_stream(connection& c) : connection_{c} {}
    task<void> write(std::string_view bytes) override {
        sent_ += bytes.size();
        return connection_.send(bytes);
    }
    void reset_at_end() noexcept override { connection_.reset_at_end(); }
    std::uint64_t bytes_sent() const noexcept { return sent_; }

private:
    connection& connection_;
    std::uint64_t sent_ = 0;
};

/// The lines of one event, with the empty line that dispatches it. Line breaks inside `data` (CR LF, CR or
/// LF) begin a new data line; `id` and `event` end at their first line break or NUL.
std::string format_event(std::string_view id, std::string_view event, std::string_view data);
std::string format_comment(std::string_view text);

} // namespace tiktrend::http
