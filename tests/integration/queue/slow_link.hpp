#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/redis/address.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace tiktrend::testing {

/// A way to a server that takes time: it carries what it is given, late, and can be held so that nothing
/// passes, as on a network that is partitioned or to a process that is frozen. One executor; stop() before it
/// goes.
class slow_link {
public:
    struct quality {
        quality() {}
        std::chrono::milliseconds delay{0}; ///< of each piece, one way
        double lost = 0; ///< share of pieces that take `resend` longer, as TCP repeats them
        std::chrono::milliseconds resend{0};
    };
    slow_link(asio::any_io_executor executor, unsigned short to_port, quality q = quality{});

    redis::address address() const;
    void hold() { is_open_.reset(); }
    void let_go() { is_open_.set(); }
    task<void> stop();

private:
    using socket = asio::ip::tcp::socket;
    task<void> accept();
    task<void> carry(std::shared_ptr<socket> from, std::shared_ptr<socket> to);

    asio::any_io_executor executor_;
    asio::ip::tcp::endpoint server_;
    quality quality_;
    default_random random_{7};
    event is_open_;
    asio::ip::tcp::acceptor acceptor_;
    task_group tasks_;
};

} // namespace tiktrend::testing
