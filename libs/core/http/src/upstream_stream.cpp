#include "upstream_stream.hpp"

#include <tiktrend/base/event.hpp>

#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

namespace tiktrend::http {
namespace {

using asio::ip::tcp;

/// getaddrinfo() cannot be interrupted, so a cancelled look-up is left behind: it ends by itself and tells
/// nobody.
task<std::vector<tcp::endpoint>> look_up(const origin& where) {
    error_code not_literal;
    const auto literal = asio::ip::make_address(where.host, not_literal);
    if (!not_literal) co_return std::vector<tcp::endpoint>(1, tcp::endpoint{literal, where.port});
    struct state {
        explicit state(const asio::any_io_executor& executor) : resolver{executor}, done{executor} {}
        tcp::resolver resolver;
        event done;
        error_code error;
        std::vector<tcp::endpoint> found;
    };
    const auto s = std::make_shared<state>(co_await asio::this_coro::executor);
    s->resolver.async_resolve(where.host, std::to_string(where.port),
                              [s](error_code e, const tcp::resolver::results_type& results) {
                                  s->error = e;
                                  for (const auto& r : results)
                                      s->found.push_back(r.endpoint());
                                  s->done.set();
                              });
    co_await s->done.wait();
    if (s->error) throw system_error{s->error, "look-up of " + where.host};
    co_return std::move(s->found);
}

} // namespace

std::shared_ptr<asio::ssl::context> make_client_tls(const std::string& ca_file) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
    error_code ec;
    if (ca_file.empty())
        context->set_default_verify_paths(ec);
    else
        context->load_verify_file(ca_file, ec);
    if (ec) throw system_error{ec, "trusted certificates " + ca_file};
    context->set_verify_mode(asio::ssl::verify_peer);
    return context;
}

task<void> upstream_stream::connect(const origin& where, std::shared_ptr<asio::ssl::context> tls) {
    const auto endpoints = co_await look_up(where);
    error_code last = asio::error::host_not_found;
    for (const auto& e : endpoints) {
        error_code ignored;
        socket_.close(ignored);
        co_await socket_.async_connect(e, asio::redirect_error(asio::use_awaitable, last));
        if (!last || is_cancelled(last)) break;
    }
    if (last) throw system_error{last, "connection to " + where.authority};
    socket_.set_option(tcp::no_delay{true}, last);
    if (!where.tls) co_return;
    context_ = std::move(tls);
    tls_.emplace(socket_, *context_);
    tls_->set_verify_callback(asio::ssl::host_name_verification{where.host});
    error_code not_literal;
    asio::ip::make_address(where.host, not_literal);
    // RFC 6066 section 3: no literal addresses in the server name.
    if (not_literal) SSL_set_tlsext_host_name(tls_->native_handle(), where.host.c_str());
    co_await tls_->async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

task<std::size_t> upstream_stream::read_some(asio::mutable_buffer into) {
    error_code ec;
    std::size_t n = 0;
    if (tls_)
        n = co_await tls_->async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
    else
        n = co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::eof) co_return 0;
    if (ec) throw system_error{ec, "answer"};
    co_return n;
}

task<void> upstream_stream::write(std::string_view bytes) {
    const asio::const_buffer buffer{bytes.data(), bytes.size()};
    if (tls_)
        co_await asio::async_write(*tls_, buffer, asio::use_awaitable);
    else
        co_await asio::async_write(socket_, buffer, asio::use_awaitable);
}

bool upstream_stream::is_quiet() {
    char byte = 0;
    error_code ec;
    socket_.non_blocking(true, ec);
    if (ec) return false;
    socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, ec);
    return ec == asio::error::would_block || ec == asio::error::try_again;
}

} // namespace tiktrend::http
