#include "silent_peer.hpp"

#include <boost/asio/write.hpp>

namespace tiktrend::redis {

using asio::ip::tcp;

silent_peer::silent_peer(asio::io_context& context, int answers)
    : acceptor_{context, tcp::endpoint{asio::ip::address_v4::loopback(), 0}}, answers_{answers} {
    accept();
}

silent_peer::~silent_peer() = default;

std::string silent_peer::url() const {
    return "redis://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

void silent_peer::accept() {
    acceptor_.async_accept([this](boost::system::error_code e, tcp::socket s) {
        if (e) return;
        ++accepted_;
        peers_.push_back({std::move(s), {}, answers_});
        read(std::prev(peers_.end()));
        accept();
    });
}

void silent_peer::read(std::list<peer>::iterator p) {
    p->socket.async_read_some(asio::buffer(p->buffer), [this, p](boost::system::error_code e, std::size_t) {
        if (e == asio::error::operation_aborted) return;
        if (e) {
            ++closed_;
            p->socket.close();
            return;
        }
        if (p->answers-- > 0) asio::write(p->socket, asio::buffer("+PONG\r\n", 7));
        read(p);
    });
}

} // namespace tiktrend::redis
