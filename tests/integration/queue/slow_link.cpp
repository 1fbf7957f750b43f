#include "slow_link.hpp"

#include <tiktrend/base/timeout.hpp>

#include <boost/asio/write.hpp>

#include <array>

namespace tiktrend::testing {

using asio::ip::tcp;

slow_link::slow_link(asio::any_io_executor executor, unsigned short to_port, quality q)
    : executor_{executor}, server_{asio::ip::address_v4::loopback(), to_port}, quality_{q},
      is_open_{executor}, acceptor_{executor, tcp::endpoint{asio::ip::address_v4::loopback(), 0}},
      tasks_{executor} {
    is_open_.set();
    tasks_.spawn("accept", accept());
}

redis::address slow_link::address() const {
    return redis::parse_url("redis://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port())).value();
}

task<void> slow_link::stop() {
    tasks_.cancel();
    co_await tasks_.join();
}

task<void> slow_link::accept() {
    for (;;) {
        auto near = std::make_shared<socket>(co_await acceptor_.async_accept(asio::use_awaitable));
        auto far = std::make_shared<socket>(executor_);
        co_await far->async_connect(server_, asio::use_awaitable);
        near->set_option(tcp::no_delay{true});
        far->set_option(tcp::no_delay{true});
        tasks_.spawn("there", carry(near, far));
        tasks_.spawn("back", carry(far, near));
    }
}

task<void> slow_link::carry(std::shared_ptr<socket> from, std::shared_ptr<socket> to) {
    std::array<char, 65536> buffer;
    try {
        for (;;) {
            const auto n = co_await from->async_read_some(asio::buffer(buffer), asio::use_awaitable);
            auto late = quality_.delay;
            if (random_.next() < quality_.lost) late += quality_.resend;
            if (late.count() > 0) co_await sleep_for(late);
            co_await is_open_.wait();
            co_await asio::async_write(*to, asio::buffer(buffer, n), asio::use_awaitable);
        }
    } catch (const boost::system::system_error&) { // one end has closed: so does the other
        boost::system::error_code ignored;
        from->close(ignored);
        to->close(ignored);
    }
}

} // namespace tiktrend::testing
