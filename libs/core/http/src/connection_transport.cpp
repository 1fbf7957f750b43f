// What lies between a connection and its socket: the balancer's header and TLS.
#include "connection.hpp"
#include "proxy_header.hpp"
#include "server_core.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>

namespace tiktrend::http {
namespace {

constexpr auto no_throw = asio::as_tuple(asio::deferred);

} // namespace

boost::asio::mutable_buffer connection::read_space() {
    return tls_ ? tls_->prepare() : in_.prepare();
}

/// `n` bytes were read into read_space(). False when the connection cannot go on.
bool connection::take_input(std::size_t n) {
    if (!tls_) {
        in_.commit(n);
        return true;
    }
    const bool good = n > 0 ? tls_->commit(n, in_) : tls_->decrypt(in_);
    error_code ec;
    if (!good && tls_->has_output()) tls_->flush(ec); // an alert says why
    return good;
}

/// True when the kernel has everything.
bool connection::write_some(error_code& ec) {
    return tls_ ? out_.write_some(*tls_, ec) && tls_->flush(ec) : out_.write_some(socket_, ec);
}

/// What comes before the first request, within the time for a request's head. False: the connection ends.
task<bool> connection::greet() {
    const auto& o = core_.options;
    wait_for(phase::head, std::chrono::steady_clock::now() + o.header_timeout);
    if (o.proxy_protocol && !co_await read_proxy_header()) co_return false;
    if (!o.tls) {
        wait_for(phase::idle, steady_time::max());
        co_return true;
    }
    tls_ = std::make_unique<tls_channel>(o.tls->current(), socket_);
    while (!tls_->is_established()) {
        const auto [ec, n] = co_await socket_.async_read_some(read_space(), no_throw);
        if (ec || expired_ || cut_ || !take_input(n)) co_return false;
        const auto deadline = deadline_;
        if (!flush_now() && !co_await flush()) co_return false;
        wait_for(phase::head, deadline);
    }
    wait_for(phase::idle, steady_time::max());
    co_return true;
}

task<bool> connection::read_proxy_header() {
    if (!peer_is_trusted_) {
        core_.options.log.warn("http_proxy_header_from_stranger", {{"client", peer_text_}});
        co_return false;
    }
    char bytes[proxy_header::max_size];
    std::size_t have = 0, want = proxy_header::first_size;
    while (have < want) {
        const auto [ec, n] =
            co_await socket_.async_read_some(asio::buffer(bytes + have, want - have), no_throw);
        if (ec || expired_ || cut_) co_return false;
        have += n;
        if (have != proxy_header::first_size || want != have) continue;
        const auto whole = proxy_header_size({bytes, have});
        if (!whole) break;
        want = *whole;
    }
    const auto header = parse_proxy_header({bytes, have});
    if (!header) {
        core_.options.log.warn("http_proxy_header_malformed", {{"client", peer_text_}});
        co_return false;
    }
    // The balancer's word about the client counts as if the client were here: its own fields are believed
    // only if it is a trusted proxy too.
    co_return !header->client || core_.count_as(*this, unmapped(*header->client));
}

void connection::set_peer(const asio::ip::address& client) {
    peer_ = client;
    peer_text_ = client.to_string();
    peer_is_trusted_ = core_.proxies.trusts(client);
}

} // namespace tiktrend::http
