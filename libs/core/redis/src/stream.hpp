#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/redis/address.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <optional>

namespace tiktrend::redis {

/// A byte stream over TCP, TLS or a Unix socket. One read and one write at a time. Cancelling an operation
/// leaves the stream unusable: close it then.
class stream {
public:
    explicit stream(const asio::any_io_executor& executor) : socket_{executor} {}

    /// Connects as `where` says, with `tls` where it wants TLS. Throws system_error with the cause.
    task<void> connect(const address& where, const std::shared_ptr<asio::ssl::context>& tls);

    template <class Token>
    auto read_some(asio::mutable_buffer b, Token&& token) {
        return tls_ ? tls_->async_read_some(b, std::forward<Token>(token))
                    : socket_.async_read_some(b, std::forward<Token>(token));
    }
    template <class Token>
    auto write(asio::const_buffer b, Token&& token) {
        return tls_ ? asio::async_write(*tls_, b, std::forward<Token>(token))
                    : asio::async_write(socket_, b, std::forward<Token>(token));
    }

    /// Says that nothing more is sent; reading goes on.
    void finish_sending() noexcept;
    /// At once, without a TLS farewell; running operations end with an error.
    void close() noexcept;
    asio::any_io_executor get_executor() { return socket_.get_executor(); }

private:
    using socket = asio::generic::stream_protocol::socket;
    task<void> connect_tcp(const address& where);

    socket socket_;
    bool closed_ = false;
    std::shared_ptr<asio::ssl::context> tls_context_;
    std::optional<asio::ssl::stream<socket&>> tls_;
};

/// What TLS connections to `where` share: the trusted certificates. Throws system_error if they cannot be
/// read.
std::shared_ptr<asio::ssl::context> make_tls_context(const address& where);

} // namespace tiktrend::redis
