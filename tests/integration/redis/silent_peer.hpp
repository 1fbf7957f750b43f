#pragma once
#include <tiktrend/base/asio.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <list>
#include <string>

namespace tiktrend::redis {

/// A TCP peer that plays Redis until it is told to be silent: it answers each of the first `answers` requests
/// with +PONG and then reads on without a word, as a host does that lost its network after the connect.
class silent_peer {
public:
    explicit silent_peer(asio::io_context& context, int answers);
    ~silent_peer();

    std::string url() const;
    int accepted() const noexcept { return accepted_; }
    /// Connections that the other side closed.
    int closed() const noexcept { return closed_; }

private:
    struct peer {
        asio::ip::tcp::socket socket;
        std::array<char, 4096> buffer;
        int answers;
    };
    void accept();
    void read(std::list<peer>::iterator p);

    asio::ip::tcp::acceptor acceptor_;
    std::list<peer> peers_;
    int answers_;
    int accepted_ = 0;
    int closed_ = 0;
};

} // namespace tiktrend::redis
