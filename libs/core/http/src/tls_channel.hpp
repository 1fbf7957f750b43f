#pragma once
#include "input_buffer.hpp"

#include <tiktrend/base/error.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <vector>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace tiktrend::http {

/// The server's side of TLS for one connection, between the socket's bytes and the buffers of `connection`.
/// It never reads by itself: bytes come in through prepare() and commit(), and what they mean through
/// decrypt(); so a TLS connection waits exactly where a plain one does.
class tls_channel {
public:
    tls_channel(std::shared_ptr<SSL_CTX> context, boost::asio::ip::tcp::socket& socket);
    ~tls_channel();
    tls_channel(const tls_channel&) = delete;
    tls_channel& operator=(const tls_channel&) = delete;

    /// Room for the next read from the socket.
    boost::asio::mutable_buffer prepare() noexcept { return {cipher_in_, sizeof cipher_in_}; }
    /// `n` bytes were read there: goes on with the handshake and moves what they contain into `out`, as far
    /// as it has room. False if they are no TLS, or the client ended the session and everything before that
    /// was given. Answers of the handshake may wait to be written.
    bool commit(std::size_t n, input_buffer& out);
    /// What did not fit at commit(). False as above.
    bool decrypt(input_buffer& out);
    /// True if decrypt() can give something without another read, be it the end of the session.
    bool has_plain() const noexcept { return has_plain_; }
    bool is_established() const noexcept;

    /// As a non-blocking socket: takes plain bytes, writes what the kernel takes of the encrypted ones.
    /// would_block: nothing was taken.
    std::size_t write_some(const std::vector<boost::asio::const_buffer>& plain, error_code& ec);
    /// Writes what is encrypted already. True when all is gone.
    bool flush(error_code& ec);
    bool has_output() const noexcept { return !cipher_out_.empty(); }
    /// The farewell (RFC 8446 section 6.1), to be flushed.
    void close_notify();

private:
    void collect_output();

    std::shared_ptr<SSL_CTX> context_;
    boost::asio::ip::tcp::socket& socket_;
    SSL* ssl_;
    bool has_plain_ = false;
    bool has_ended_ = false; ///< by the client
    std::string cipher_out_;
    std::size_t sent_ = 0; ///< of cipher_out_
    char cipher_in_[4096];
};

} // namespace tiktrend::http
