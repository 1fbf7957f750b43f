#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/http/upstream.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace tiktrend::http {

/// The context of verified client connections. Throws system_error if the certificates cannot be read.
std::shared_ptr<asio::ssl::context> make_client_tls(const std::string& ca_file);

/// A TCP or TLS connection to an origin. One operation at a time; an error or a cancellation leaves it
/// unusable.
class upstream_stream {
public:
    explicit upstream_stream(const asio::any_io_executor& executor) : socket_{executor} {}

    /// `tls` is set where the origin wants it. Throws system_error.
    task<void> connect(const origin& where, std::shared_ptr<asio::ssl::context> tls);
    /// Bytes read; 0 at the end.
    task<std::size_t> read_some(asio::mutable_buffer into);
    task<void> write(std::string_view bytes);
    /// True if the peer neither closed nor sent anything: fit for another request.
    bool is_quiet();

private:
    asio::ip::tcp::socket socket_;
    std::shared_ptr<asio::ssl::context> context_;
    std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls_;
};

} // namespace tiktrend::http
