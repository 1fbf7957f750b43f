#include "connection.hpp"

#include "response_head.hpp"
#include "server_core.hpp"

#include <tiktrend/http/problem.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace tiktrend::http {
namespace {

constexpr std::size_t gathered_bytes = 64U << 10; ///< more than this is written at once
constexpr std::size_t write_progress = 64U << 10; ///< see server_options::write_timeout
constexpr std::size_t lingering_bytes = 4U << 20; ///< of a refused request that are read and dropped
constexpr std::size_t input_size = 32U << 10;

constexpr refusal header_too_slow{408, "header_timeout", "The request's header did not arrive in time."};
constexpr refusal body_too_slow{408, "body_timeout", "The request's body did not arrive in time."};
constexpr refusal bodies_too_many{503, "overloaded", "Too many request bodies are being read; try again."};
constexpr refusal chunk_line_too_long{400, "bad_chunk", "A chunk's size line or the trailer is too long."};

constexpr auto no_throw = asio::as_tuple(asio::deferred);

steady_time now() noexcept {
    return std::chrono::steady_clock::now();
}

bool was_cancelled(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const system_error& x) {
        return is_cancelled(x.code());
    } catch (...) {
        return false;
    }
}

} // namespace

connection::connection(server_core& core, asio::ip::tcp::socket socket, const asio::ip::address& peer)
    : core_{core}, socket_{std::move(socket)}, peer_{peer}, peer_text_{peer.to_string()},
      peer_is_trusted_{core.proxies.trusts(peer)}, last_active_{now()},
      in_{std::max(input_size, core.options.max_target_bytes + core.options.max_header_bytes + 1024)},
      scanner_{
          {core.options.max_target_bytes, core.options.max_header_bytes, core.options.max_header_fields}},
      body_share_{core.body_bytes} {
    deadline_ = last_active_ + (core.draining ? core.options.drain_idle_grace : core.options.idle_timeout);
}

bool connection::is_draining() const noexcept {
    return core_.draining;
}

// ---- the coroutine

task<void> connection::run() {
    std::exception_ptr failure;
    try {
        co_await serve();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !was_cancelled(failure))
        core_.options.log.error("http_connection_failed",
                                {{"client", peer_text_}, {"error", message_of(failure)}});
    phase_ = phase::over;
    count_in_flight(false);
    error_code ignored;
    if (reset_at_end_) socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket_.close(ignored);
}

task<void> connection::serve() {
    const auto& o = core_.options;
    if ((o.proxy_protocol || o.tls) && !co_await greet()) co_return;
    for (;;) {
        // The head. A request that is at hand already is taken without a system call or a look at the clock.
        for (;;) {
            const auto verdict = scanner_.scan(in_.bytes());
            if (verdict == head_scanner::verdict::complete) break;
            if (verdict == head_scanner::verdict::refused) co_return co_await refuse(scanner_.why());
            if (!flush_now() && !co_await flush()) co_return;
            if (in_.empty()) {
                in_.shrink_if_empty();
                wait_for(phase::idle, last_active_ + (core_.draining ? o.drain_idle_grace : o.idle_timeout));
            } else if (phase_ != phase::head) {
                wait_for(phase::head, now() + o.header_timeout);
            }
            if (tls_ && tls_->has_plain()) {
                if (!take_input(0)) co_return;
                continue;
            }
            const auto [ec, n] = co_await socket_.async_read_some(read_space(), no_throw);
            if (expired_ && phase_ == phase::head) co_return co_await refuse(header_too_slow);
            if (ec || !take_input(n)) {
                if (expired_) co_await close_gracefully(); // idle for too long
                co_return;
            }
        }
        count_in_flight(true);
        started_ = now();
        request_.reset();
        body_share_.set(0);
        const auto head = in_.bytes().substr(0, scanner_.head_size()).substr(scanner_.skipped());
        const auto no = parser_.parse_head(head, request_, o.max_body_bytes);
        in_.consume(scanner_.head_size());
        scanner_.reset();
        if (no) co_return co_await refuse(no);
        identify();
        if (!parser_.is_done() && !co_await read_body()) co_return;

        // The answer. What earlier answers left unsent goes out as soon as this handler waits for anything.
        if (!out_.empty()) flush_soon();
        wait_for(phase::handler, (request_.body.empty() ? started_ : now()) + o.handler_timeout);
        response r;
        std::exception_ptr failure;
        try {
            r = co_await core_.routes->handle(request_);
        } catch (...) {
            failure = std::current_exception();
        }
        if (cut_) co_return;
        if (expired_) {
            co_await asio::this_coro::reset_cancellation_state();
            r = problem{504, "handler_timeout", "The answer took too long."}.to_response(request_.request_id);
            failure = nullptr;
        }
        if (failure) r = response_for(failure, request_.request_id);
        if (r.failure) log_failure(r);
        if (r.takeover) co_return co_await answer_takeover(r);
        if (r.stream) co_return co_await answer_stream(r);

        const bool keep_alive = request_.keep_alive && !r.close && !core_.draining;
        queue(r, keep_alive);
        if (!keep_alive) {
            if (flush_now() || co_await flush()) co_await close_gracefully();
            co_return;
        }
        if (in_.empty() || ++gathered_ >= o.max_pipelined || out_.pending() > gathered_bytes)
            if (!flush_now() && !co_await flush()) co_return;
        count_in_flight(false);
        drop_body();
    }
}

/// An idle connection does not keep what its last request brought.
void connection::drop_body() noexcept {
    if (request_.body.capacity() > input_size) request_.body = {};
    body_share_.set(0);
}

task<bool> connection::read_body() {
    const auto& o = core_.options;
    body_started_ = now();
    body_seen_ = 0;
    wait_for(phase::body, body_started_ + o.body_timeout);
    if (parser_.expects_continue() && in_.empty()) out_.copy("HTTP/1.1 100 Continue\r\n\r\n");
    for (;;) {
        std::size_t used = 0;
        const auto no = parser_.parse_body(in_.bytes(), used);
        in_.consume(used);
        body_seen_ += used;
        body_share_.set(request_.body.size());
        if (no || core_.body_bytes > o.max_bodies_bytes) {
            co_await refuse(no ? no : bodies_too_many);
            co_return false;
        }
        if (parser_.is_done()) co_return true;
        if (in_.full()) {
            co_await refuse(chunk_line_too_long);
            co_return false;
        }
        if (!flush_now()) {
            if (!co_await flush()) co_return false;
            wait_for(phase::body, body_started_ + o.body_timeout);
        }
        if (tls_ && tls_->has_plain()) {
            if (!take_input(0)) co_return false;
            continue;
        }
        const auto [ec, n] = co_await socket_.async_read_some(read_space(), no_throw);
        if (expired_) {
            co_await refuse(body_too_slow);
            co_return false;
        }
        if (ec || !take_input(n)) co_return false;
    }
}

/// Waits until the client has taken everything. False if it did not, or is gone.
task<bool> connection::flush() {
    const auto before = phase_;
    auto mark = out_.pending();
    wait_for(phase::writing, now() + core_.options.write_timeout);
    for (;;) {
        if (!socket_.is_open()) co_return false;
        error_code ec;
        if (write_some(ec)) break;
        if (ec) co_return false;
        if (mark - out_.pending() >= write_progress) {
            mark = out_.pending();
            wait_for(phase::writing, now() + core_.options.write_timeout);
        }
        const auto [failed] = co_await socket_.async_wait(asio::socket_base::wait_write, no_throw);
        if (expired_ || cut_) {
            reset_at_end_ = true; // what the kernel still holds would keep the connection for minutes
            co_return false;
        }
        if (failed) co_return false;
    }
    gathered_ = 0;
    wait_for(before, steady_time::max()); // the caller says what comes next
    co_return true;
}

/// Answers what never becomes a request for a handler, and ends the connection.
task<void> connection::refuse(refusal why) {
    if (scanner_.why()) { // not even a head: nothing of an earlier request may show up in the log
        request_.reset();
        started_ = now();
    }
    if (request_.method_text.empty()) request_.method = method::other;
    identify();
    drop_body();
    auto r = problem{why.status, why.code, why.detail}.to_response(request_.request_id);
    if (why.status == 503) r.headers.set("Retry-After", "1");
    queue(r, false);
    if (flush_now() || co_await flush()) co_await close_gracefully();
}

/// RFC 9112 section 9.6: says that nothing more comes and reads on for a while, since closing at once with
/// unread input would reset the connection and could destroy the answer on its way.
task<void> connection::close_gracefully() {
    count_in_flight(false);
    error_code ec;
    if (tls_) {
        tls_->close_notify();
        tls_->flush(ec);
    }
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
    if (ec) co_return;
    wait_for(phase::lingering, now() + core_.options.linger_timeout);
    for (std::size_t dropped = 0; dropped < lingering_bytes;) {
        in_.consume(in_.bytes().size());
        // Encrypted or not: nobody looks at it any more.
        const auto [failed, n] =
            co_await socket_.async_read_some(tls_ ? tls_->prepare() : in_.prepare(), no_throw);
        if (failed || expired_) co_return;
        dropped += n;
    }
}

// ---- pieces

void connection::wait_for(phase p, steady_time deadline) noexcept {
    phase_ = p;
    deadline_ = deadline;
    expired_ = false;
}

void connection::count_in_flight(bool yes) noexcept {
    if (std::exchange(counted_, yes) == yes) return;
    if (yes)
        ++core_.in_flight;
    else
        --core_.in_flight;
}

void connection::identify() {
    request_.remote_address = peer_text_;
    request_.from_trusted_proxy = peer_is_trusted_;
    if (peer_is_trusted_) {
        if (const auto client = core_.proxies.client_of(request_.headers))
            request_.remote_address = client->to_string();
        const auto id = request_.headers.get("X-Request-Id");
        if (is_request_id(id)) {
            request_.request_id = id;
            return;
        }
    }
    core_.request_ids.next(core_.wall_ms(started_), request_.request_id);
}

void connection::queue(response& r, bool keep_alive) {
    const bool has_body = may_have_body(r.status);
    head_options h;
    h.date = core_.date();
    h.request_id = request_.request_id;
    h.minor_version = request_.minor_version;
    h.keep_alive = keep_alive;
    if (has_body) h.content_length = r.body_view().size();
    const auto before = out_.pending();
    append_head(out_.text(), r, h);
    out_.note_text();
    if (has_body && request_.method != method::head) {
        if (r.shared_body)
            out_.share(std::move(r.shared_body));
        else
            out_.take(std::move(r.body));
    }
    finish(r, out_.pending() - before, now());
}

void connection::finish(const response& r, std::uint64_t bytes_out, steady_time at) {
    last_active_ = at;
    if (!core_.options.on_finished) return;
    core_.options.on_finished({request_, r.status, r.headers, bytes_out, at - started_});
}

void connection::log_failure(const response& r) const {
    core_.options.log.error("http_handler_failed", {{"request_id", request_.request_id},
                                                    {"method", request_.method_text},
                                                    {"route", request_.route},
                                                    {"error", message_of(r.failure)}});
}

/// True if nothing is left to send. An error shows again, and is handled, in flush().
bool connection::flush_now() {
    if (!out_.empty() || (tls_ && tls_->has_output())) {
        error_code ec;
        if (!write_some(ec)) return false;
        gathered_ = 0;
    }
    return true;
}

/// Writes once control returns to the executor: at the next wait of whatever runs now. So answers that need
/// no waiting go out together, and no answer waits for the handler of a later request.
void connection::flush_soon() {
    if (std::exchange(flush_posted_, true)) return;
    asio::post(core_.executor, [self = shared_from_this()] {
        self->flush_posted_ = false;
        if (self->phase_ == phase::handler) self->flush_now();
    });
}

} // namespace tiktrend::http
