#pragma once
#include "reply_reader.hpp"
#include "stream.hpp"

#include <tiktrend/redis/client.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tiktrend::redis {

/// One established connection: bytes out, replies in. No reconnection and no matching of replies to commands.
class connection {
public:
    connection(const asio::any_io_executor& executor, std::string where, std::size_t max_reply_bytes)
        : stream_{executor}, reader_{max_reply_bytes}, where_{std::move(where)}, buffer_(read_size) {}

    stream& transport() noexcept { return stream_; }
    const std::string& where() const noexcept { return where_; }
    /// The server behind it is known only now.
    void set_where(std::string where) { where_ = std::move(where); }

    /// Waits for bytes and gives them to the reader. Throws system_error.
    task<void> receive();
    /// A reply that has arrived already. Throws system_error(errc::protocol_error).
    bool next(reply& out);

    task<void> send(const std::string& bytes);
    /// The next reply, waiting for it.
    task<reply> read_reply();
    /// One command and its reply. Throws server_error for replies that classify() knows.
    task<reply> request(const command& c);
    /// Two commands at once and their replies, which may be errors. If the server closes before the first
    /// byte of a reply, after finish_sending(), errc::not_connected: it has run neither.
    task<std::pair<reply, reply>> request_both(const command& first, const command& second);
    void finish_sending() noexcept;

    void close() noexcept { stream_.close(); }

private:
    static constexpr std::size_t read_size = 16U << 10;
    stream stream_;
    reply_reader reader_;
    std::string where_;
    std::vector<char> buffer_;
    bool is_finishing_ = false;
};

/// Throws server_error if `r` is an error reply that classify() knows.
void throw_if_unavailable(const reply& r, const std::string& where);

/// Makes connections to one address: find the server (Sentinel: the master; Cluster: the owner of a slot),
/// resolve, connect, TLS, handshake (AUTH, SELECT, CLIENT SETNAME, CLIENT NO-EVICT, PING).
class dialer {
public:
    dialer(asio::any_io_executor executor, address where, client_options options);

    /// Cluster: connections go to the node that owns this slot. Without, to any node.
    void set_slot(std::uint16_t slot) noexcept { slot_ = slot; }

    /// make() and open().
    task<std::unique_ptr<connection>> dial();
    std::unique_ptr<connection> make() const;
    /// Within the connect timeout. Throws system_error with the cause, errc::timed_out past it. Closing `c`
    /// ends it.
    task<void> open(connection& c);

    const address& where() const noexcept { return where_; }
    const client_options& options() const noexcept { return options_; }
    const std::string& name() const noexcept { return name_; } ///< of the address, without the password
    const asio::any_io_executor& executor() const noexcept { return executor_; }

private:
    task<void> connect(connection& c);
    task<endpoint> find_node();
    task<void> shake_hands(connection& c);

    asio::any_io_executor executor_;
    address where_;
    client_options options_;
    std::string name_;
    std::optional<std::uint16_t> slot_;
    std::size_t first_node_ =
        0; ///< of where_.nodes: the one to ask first (counts on; taken modulo their number)
    std::shared_ptr<asio::ssl::context> tls_;
};

} // namespace tiktrend::redis
