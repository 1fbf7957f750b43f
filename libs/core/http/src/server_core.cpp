#include "server_core.hpp"

#include "response_head.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>

namespace tiktrend::http {
namespace {

using std::chrono::milliseconds;

/// What max_connections_per_address counts: the address, or the /64 that one IPv6 client usually has to
/// itself.
asio::ip::address counted_address(const asio::ip::address& a) {
    if (a.is_v4()) return a;
    auto bytes = a.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return asio::ip::address_v6{bytes};
}

} // namespace

server_core::server_core(asio::any_io_executor ex, std::shared_ptr<const router> r, server_options o)
    : executor{ex}, routes{std::move(r)}, options{std::move(o)}, proxies{options.trusted_proxies},
      none_left_{ex} {
    none_left_.set();
    read_wall_clock(std::chrono::steady_clock::now());
}

std::int64_t server_core::wall_ms(steady_time now) const noexcept {
    return wall_minus_steady_ms_ + std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
}

void server_core::read_wall_clock(steady_time now) {
    const auto wall =
        std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    wall_minus_steady_ms_ = wall - std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
    if (const auto seconds = wall / 1000; seconds != date_seconds_) {
        date_seconds_ = seconds;
        date_ = http_date(seconds);
    }
}

void server_core::adopt(asio::ip::tcp::socket socket, const asio::ip::address& peer) {
    const auto address = unmapped(peer);
    if (list_.size() >= options.max_connections || is_full(address)) {
        ++refused_connections_;
        return; // closed by its destructor
    }
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    auto c = std::make_shared<connection>(*this, std::move(socket), address);
    c->index = list_.size();
    list_.push_back(c);
    ++per_address_[counted_address(address)];
    none_left_.reset();
    // The completion handler keeps the connection alive while its coroutine runs.
    const auto slot = c->slot();
    auto work = c->run();
    auto ended = [this, c = std::move(c)](const std::exception_ptr&) { remove(*c); };
    asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(slot, std::move(ended)));
}

bool server_core::is_full(const asio::ip::address& a) const {
    const auto limit = options.max_connections_per_address;
    const auto same = per_address_.find(counted_address(a));
    return limit > 0 && same != per_address_.end() && same->second >= limit && !proxies.trusts(a);
}

void server_core::uncount(const asio::ip::address& a) {
    const auto count = per_address_.find(counted_address(a));
    if (--count->second == 0) per_address_.erase(count);
}

bool server_core::count_as(connection& c, const asio::ip::address& client) {
    if (is_full(client)) {
        ++refused_connections_;
        return false;
    }
    ++per_address_[counted_address(client)];
    uncount(c.peer());
    c.set_peer(client);
    return true;
}

void server_core::remove(const connection& c) {
    uncount(c.peer());
    const auto hole = c.index;
    if (hole + 1 != list_.size()) {
        list_[hole] = std::move(list_.back());
        list_[hole]->index = hole;
    }
    list_.pop_back();
    if (list_.empty()) none_left_.set();
}

void server_core::begin_drain() {
    draining = true;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& c : list_)
        c->shorten_idle(now);
}

void server_core::cut_all() {
    const auto all = list_; // cutting one may end others
    for (const auto& c : all)
        c->cut();
}

void server_core::on_tick(steady_time now) {
    read_wall_clock(now);
    // By index: a connection that ends inside its tick moves the last one into its place.
    for (std::size_t i = 0; i < list_.size(); ++i)
        list_[i]->on_tick(now);
    if (refused_connections_ > 0) {
        options.log.warn("http_connections_refused",
                         {{"count", refused_connections_}, {"open", list_.size()}});
        refused_connections_ = 0;
    }
}

steady_time::duration server_core::tick_interval() const noexcept {
    const auto& o = options;
    const auto shortest =
        std::min({o.header_timeout, o.body_timeout, o.body_rate_grace, o.idle_timeout, o.handler_timeout,
                  o.write_timeout, o.drain_idle_grace, o.linger_timeout});
    return std::clamp(shortest / 8, milliseconds{5}, milliseconds{250});
}

} // namespace tiktrend::http
