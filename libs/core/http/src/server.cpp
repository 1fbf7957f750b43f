#include "server_core.hpp"

#include <tiktrend/base/task_group.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cassert>

namespace tiktrend::http {
namespace {

using asio::ip::tcp;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int accepted_at_once = 64; ///< before other work of the thread gets its turn
constexpr std::chrono::milliseconds pause_without_descriptors{100};

constexpr auto no_throw = asio::as_tuple(asio::deferred);

bool is_transient(const error_code& ec) noexcept {
    return ec == asio::error::connection_aborted || ec == asio::error::interrupted ||
           ec == asio::error::connection_reset;
}

} // namespace

struct server::impl {
    impl(asio::any_io_executor executor, std::shared_ptr<const router> routes, server_options o)
        : core{executor, std::move(routes), std::move(o)}, acceptor{executor}, accepting{executor},
          ticking{executor} {}

    /// Takes what the kernel holds ready. False when it may hold more.
    bool accept_ready() {
        for (int i = 0; i < accepted_at_once; ++i) {
            error_code ec;
            tcp::endpoint peer;
            tcp::socket socket{core.executor};
            acceptor.accept(socket, peer, ec);
            if (ec == asio::error::would_block || ec == asio::error::try_again) return true;
            if (is_transient(ec)) continue;
            if (ec) {
                last_accept_error = ec;
                return true;
            }
            core.adopt(std::move(socket), peer.address());
        }
        return false;
    }

    task<void> accept_loop() {
        asio::steady_timer pause{core.executor};
        for (;;) {
            const auto [ec] = co_await acceptor.async_wait(tcp::acceptor::wait_read, no_throw);
            if (ec) co_return; // stop() closes the acceptor
            while (!accept_ready())
                co_await asio::post(core.executor, asio::deferred);
            if (!last_accept_error) continue;
            core.options.log.error("http_accept_failed", {{"error", last_accept_error.message()}});
            last_accept_error.clear();
            pause.expires_after(pause_without_descriptors); // out of descriptors or memory
            if (const auto [cancelled] = co_await pause.async_wait(no_throw); cancelled) co_return;
        }
    }

    task<void> tick_loop() {
        asio::steady_timer timer{core.executor};
        for (;;) {
            timer.expires_after(core.tick_interval());
            if (const auto [ec] = co_await timer.async_wait(no_throw); ec) co_return;
            core.on_tick(std::chrono::steady_clock::now());
        }
    }

    server_core core;
    tcp::acceptor acceptor;
    error_code last_accept_error;
    std::uint16_t port = 0;
    bool started = false;
    task_group accepting;
    task_group ticking;
};

server::server(asio::any_io_executor executor, std::shared_ptr<const router> routes, server_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(routes), std::move(options))} {}

server::~server() {
    assert(impl_->core.connections() == 0 && "await stop() before the server goes");
}

void server::start() {
    auto& i = *impl_;
    const auto& o = i.core.options;
    const tcp::endpoint endpoint{asio::ip::make_address(o.address), o.port};
    i.acceptor.open(endpoint.protocol());
    i.acceptor.set_option(tcp::acceptor::reuse_address{true});
    if (o.reuse_port) i.acceptor.set_option(reuse_port{true});
    i.acceptor.bind(endpoint);
    i.acceptor.listen(o.backlog);
    i.acceptor.non_blocking(true);
    i.port = i.acceptor.local_endpoint().port();
    i.started = true;
    i.accepting.spawn("http accept", i.accept_loop());
    i.ticking.spawn("http tick", i.tick_loop());
}

std::uint16_t server::port() const noexcept {
    return impl_->port;
}
void server::begin_drain() {
    impl_->core.begin_drain();
}
std::size_t server::connections() const noexcept {
    return impl_->core.connections();
}
std::size_t server::requests_in_flight() const noexcept {
    return impl_->core.in_flight;
}

task<void> server::stop(std::chrono::steady_clock::time_point deadline) {
    auto& i = *impl_;
    i.core.begin_drain();
    if (i.started) {
        i.started = false;
        i.accepting.cancel();
        co_await i.accepting.join();
        while (!i.accept_ready()) {
        }
        error_code ignored;
        i.acceptor.close(ignored); // what the kernel accepts from here on is reset
    }
    while (i.core.connections() > 0 && co_await i.core.none_left().wait_until(deadline)) {
    }
    if (i.core.connections() > 0) {
        i.core.options.log.warn("http_connections_cut",
                                {{"open", i.core.connections()}, {"in_flight", i.core.in_flight}});
        i.core.cut_all();
        while (i.core.connections() > 0)
            co_await i.core.none_left().wait();
    }
    i.ticking.cancel();
    co_await i.ticking.join();
}

} // namespace tiktrend::http
