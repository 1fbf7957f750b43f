#include "stream.hpp"

#include <tiktrend/base/event.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <vector>

namespace tiktrend::redis {
namespace {

using tcp = asio::ip::tcp;

/// getaddrinfo() cannot be interrupted, so a cancelled look-up is left behind: it ends by itself and tells
/// nobody.
task<std::vector<tcp::endpoint>> resolve(const std::string& host, std::uint16_t port) {
    error_code numeric;
    const auto literal = asio::ip::make_address(host, numeric);
    if (!numeric) co_return std::vector<tcp::endpoint>(1, tcp::endpoint{literal, port});

    struct look_up {
        explicit look_up(const asio::any_io_executor& executor) : resolver{executor}, done{executor} {}
        tcp::resolver resolver;
        event done;
        error_code error;
        std::vector<tcp::endpoint> found;
    };
    const auto state = std::make_shared<look_up>(co_await asio::this_coro::executor);
    state->resolver.async_resolve(host, std::to_string(port),
                                  [state](error_code e, const tcp::resolver::results_type& results) {
                                      state->error = e;
                                      for (const auto& r : results)
                                          state->found.push_back(r.endpoint());
                                      state->done.set();
                                  });
    co_await state->done.wait();
    if (state->error) throw system_error{state->error, "resolve " + host};
    co_return std::move(state->found);
}

/// A dead peer is noticed after 15 s of silence and three probes; small commands are not held back.
void set_tcp_options(int fd) {
    const std::array<std::array<int, 3>, 5> options{{{SOL_SOCKET, SO_KEEPALIVE, 1},
                                                     {IPPROTO_TCP, TCP_KEEPIDLE, 15},
                                                     {IPPROTO_TCP, TCP_KEEPINTVL, 5},
                                                     {IPPROTO_TCP, TCP_KEEPCNT, 3},
                                                     {IPPROTO_TCP, TCP_NODELAY, 1}}};
    for (const auto& [level, name, value] : options)
        ::setsockopt(fd, level, name, &value,
                     sizeof value); // a kernel that refuses one still gives a working socket
}

} // namespace

std::shared_ptr<asio::ssl::context> make_tls_context(const address& where) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
    error_code ec;
    if (where.ca_file.empty())
        context->set_default_verify_paths(ec);
    else
        context->load_verify_file(where.ca_file, ec);
    if (ec) throw system_error{ec, "trusted certificates " + where.ca_file};
    context->set_verify_mode(asio::ssl::verify_peer);
    return context;
}

task<void> stream::connect_tcp(const address& where) {
    const auto endpoints = co_await resolve(where.host, where.port);
    error_code last = asio::error::host_not_found;
    for (const auto& e : endpoints) {
        if (closed_) throw system_error{asio::error::operation_aborted};
        socket_.close(last);
        co_await socket_.async_connect(e, asio::redirect_error(asio::use_awaitable, last));
        if (!last) {
            set_tcp_options(socket_.native_handle());
            co_return;
        }
    }
    throw system_error{last, "connect"};
}

task<void> stream::connect(const address& where, const std::shared_ptr<asio::ssl::context>& tls) {
    if (!where.unix_path.empty()) {
        const asio::local::stream_protocol::endpoint endpoint{where.unix_path};
        co_await socket_.async_connect(endpoint, asio::use_awaitable);
        co_return;
    }
    co_await connect_tcp(where);
    if (!where.tls) co_return;

    tls_context_ = tls;
    tls_.emplace(socket_, *tls_context_);
    tls_->set_verify_callback(asio::ssl::host_name_verification{where.host});
    error_code literal;
    asio::ip::make_address(where.host, literal);
    // RFC 6066 section 3: no literal addresses in the server name.
    if (literal) SSL_set_tlsext_host_name(tls_->native_handle(), where.host.c_str());
    co_await tls_->async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

void stream::finish_sending() noexcept {
    error_code ignored;
    socket_.shutdown(socket::shutdown_send, ignored);
}

void stream::close() noexcept {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
}

} // namespace tiktrend::redis
