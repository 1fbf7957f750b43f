// Answers that go on for longer: streams, and handlers that take the whole connection.
#include "connection.hpp"
#include "response_head.hpp"
#include "server_core.hpp"
#include "stream.hpp"

namespace tiktrend::http {

task<void> connection::answer_stream(response& r) {
    const bool chunked = request_.minor_version == 1;
    if (!r.headers.has("Content-Type")) r.headers.add("Content-Type", "text/event-stream");
    if (!r.headers.has("Cache-Control")) r.headers.add("Cache-Control", "no-cache");
    head_options h;
    h.date = core_.date();
    h.request_id = request_.request_id;
    h.keep_alive = false;
    h.chunked = chunked;
    append_head(out_.text(), r, h);
    out_.note_text();
    sse_stream stream{*this, chunked};
    std::exception_ptr failure;
    if (flush_now() || co_await flush()) {
        wait_for(phase::streaming, steady_time::max());
        watch_peer();
        try {
            if (request_.method != method::head) co_await r.stream(stream);
        } catch (...) {
            failure = std::current_exception();
        }
    }
    finish(r, stream.bytes_sent(), std::chrono::steady_clock::now());
    if (cut_ || peer_gone_) co_return;
    if (failure) {
        // Without its last chunk the client can tell that the stream is not whole.
        if (!stream.is_broken()) {
            r.failure = failure;
            log_failure(r);
        }
        co_return;
    }
    if (chunked && request_.method != method::head) out_.copy("0\r\n\r\n");
    if (flush_now() || co_await flush()) co_await close_gracefully();
}

task<void> connection::answer_takeover(response& r) {
    raw_stream stream{*this};
    if (!flush_now() && !co_await flush()) co_return;
    wait_for(phase::streaming, steady_time::max());
    watch_peer();
    std::exception_ptr failure;
    try {
        co_await r.takeover(stream);
    } catch (...) {
        failure = std::current_exception();
    }
    finish(r, stream.bytes_sent(), std::chrono::steady_clock::now());
    if (failure || cut_ || peer_gone_ || reset_at_end_) co_return;
    co_await close_gracefully();
}

task<void> connection::send(std::string_view bytes) {
    if (peer_gone_ || cut_) throw system_error(asio::error::connection_reset);
    out_.copy(bytes);
    if (flush_now()) co_return;
    if (!co_await flush())
        throw system_error(expired_ ? error_code{errc::timed_out} : asio::error::connection_reset);
}

/// Notices during a stream that the client left, although nothing is being read, and cancels the handler.
void connection::watch_peer() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code ec) {
        if (ec || (self->phase_ != phase::streaming && self->phase_ != phase::writing)) return;
        if (self->in_.full()) return; // it goes on sending; the next write will tell
        const auto n = self->socket_.read_some(self->read_space(), ec);
        if (n > 0 && !self->take_input(n)) ec = asio::error::eof;
        if (!ec || ec == asio::error::would_block) return self->watch_peer();
        self->peer_gone_ = true;
        self->cancel_.emit(asio::cancellation_type::terminal);
    });
}

} // namespace tiktrend::http
