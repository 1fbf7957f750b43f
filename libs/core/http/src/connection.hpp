#pragma once
#include "body_share.hpp"
#include "head_scanner.hpp"
#include "input_buffer.hpp"
#include "output_queue.hpp"
#include "request_parser.hpp"
#include "tls_channel.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/message.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace tiktrend::http {

class server_core;

/// One client's connection: a coroutine that reads a request, has it answered and writes the answer, again
/// and again.
///
/// It owns no timer. Whenever it waits it notes what for (`phase_`) and until when (`deadline_`); the
/// server's tick compares and calls expire(), which ends the wait. Answers to pipelined requests gather in
/// `out_` while more requests are at hand and their handlers do not wait; see flush_soon().
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(server_core& core, asio::ip::tcp::socket socket, const asio::ip::address& peer);

    /// Serves until the connection has ended. `core` must outlive it.
    task<void> run();
    asio::cancellation_slot slot() noexcept { return cancel_.slot(); }

    void on_tick(steady_time now);
    /// A drain has begun: idle connections end soon.
    void shorten_idle(steady_time now);
    /// Ends everything now.
    void cut();

    /// For streams: sends bytes, waiting for the client to take them. Throws system_error when it cannot.
    task<void> send(std::string_view bytes);
    bool is_draining() const noexcept;
    void reset_at_end() noexcept { reset_at_end_ = true; }

    const asio::ip::address& peer() const noexcept { return peer_; }
    /// It is somebody else, as the balancer says.
    void set_peer(const asio::ip::address& client);
    std::size_t index = 0; ///< in the core's list

private:
    enum class phase : std::uint8_t { idle, head, body, handler, writing, streaming, lingering, over };

    task<void> serve();
    task<bool> greet();
    task<bool> read_proxy_header();
    task<bool> read_body();
    task<void> answer_stream(response& r);
    task<void> answer_takeover(response& r);
    task<bool> flush();
    task<void> refuse(refusal why);
    task<void> close_gracefully();

    void wait_for(phase p, steady_time deadline) noexcept;
    void expire(steady_time now);
    void count_in_flight(bool yes) noexcept;
    void drop_body() noexcept;
    void identify();
    void queue(response& r, bool keep_alive);
    void finish(const response& r, std::uint64_t bytes_out, steady_time now);
    void log_failure(const response& r) const;
    bool flush_now();
    boost::asio::mutable_buffer read_space();
    bool take_input(std::size_t n);
    bool write_some(error_code& ec);
    void flush_soon();
    void watch_peer();

    server_core& core_;
    asio::ip::tcp::socket socket_;
    asio::ip::address peer_;
    std::string peer_text_;
    bool peer_is_trusted_;
    asio::cancellation_signal cancel_;

    phase phase_ = phase::idle;
    bool expired_ = false; ///< the tick ended the current wait
    bool cut_ = false;
    bool peer_gone_ = false;
    bool reset_at_end_ = false;
    bool flush_posted_ = false;
    bool counted_ = false; ///< this request is in core_.in_flight
    steady_time deadline_;
    steady_time last_active_; ///< end of the last response, or accept
    steady_time started_;     ///< end of the head of the current request
    steady_time body_started_;
    std::uint64_t body_seen_ = 0;
    std::size_t gathered_ = 0; ///< responses in out_

    std::unique_ptr<tls_channel> tls_; ///< null: a plain connection
    input_buffer in_;
    output_queue out_;
    head_scanner scanner_;
    request_parser parser_;
    request request_;
    body_share body_share_; ///< of core_.body_bytes
};

} // namespace tiktrend::http
