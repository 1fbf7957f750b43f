#pragma once
#include "connection.hpp"
#include "request_id.hpp"
#include "trusted_proxies.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/server.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::http {

/// What the connections of one server share, and the list that owns them. A task_group would own their
/// coroutines as well; this list does instead, because the server also visits each connection on every tick
/// and cancels single ones.
class server_core {
public:
    server_core(asio::any_io_executor executor, std::shared_ptr<const router> routes, server_options o);

    asio::any_io_executor executor;
    std::shared_ptr<const router> routes;
    const server_options options;
    const trusted_proxies proxies;
    request_id_source request_ids;
    bool draining = false;
    std::size_t in_flight = 0;
    std::size_t body_bytes = 0; ///< of all requests that are being read or worked on

    const std::string& date() const noexcept { return date_; }
    /// Wall clock for request ids, as exact as the last tick.
    std::int64_t wall_ms(steady_time now) const noexcept;

    /// Takes over a socket that was accepted: serves it, or closes it when a limit is reached.
    void adopt(asio::ip::tcp::socket socket, const asio::ip::address& peer);
    /// The balancer said who the client of `c` is: from here on the connection counts as the client's. False:
    /// the client has as many as it may, and the connection must end.
    bool count_as(connection& c, const asio::ip::address& client);
    std::size_t connections() const noexcept { return list_.size(); }
    event& none_left() noexcept { return none_left_; }

    void begin_drain();
    void cut_all();
    void on_tick(steady_time now);
    /// How often on_tick() must run for these options.
    steady_time::duration tick_interval() const noexcept;

private:
    void remove(const connection& c);
    bool is_full(const asio::ip::address& a) const;
    void uncount(const asio::ip::address& a);
    void read_wall_clock(steady_time now);

    std::vector<std::shared_ptr<connection>> list_; ///< each knows its index
    std::map<asio::ip::address, std::size_t> per_address_;
    event none_left_;
    std::string date_;
    std::int64_t date_seconds_ = 0;
    std::int64_t wall_minus_steady_ms_ = 0;
    std::size_t refused_connections_ = 0; ///< since the last log line about them
};

} // namespace tiktrend::http
