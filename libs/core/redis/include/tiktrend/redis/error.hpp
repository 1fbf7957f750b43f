#pragma once
#include <tiktrend/base/error.hpp>

#include <string>
#include <string_view>

namespace tiktrend::redis {

/// What can go wrong with Redis as a service. Thrown as system_error (or redis::server_error); replies that
/// depend on the data (WRONGTYPE, a script's own error) come back as a reply of type error.
enum class errc {
    not_connected = 1, ///< no connection now; nothing was sent. Producers fail fast on this (503)
    connection_lost,   ///< the connection went away after the command was sent: it may or may not have run
    protocol_error,    ///< the peer does not speak RESP2, or a reply is larger than the limit
    timed_out,         ///< no reply within the command timeout: it may or may not have run
    too_many_waiting,  ///< the bound on waiting commands was reached; nothing was sent
    not_ready, ///< LOADING, MASTERDOWN, READONLY, CLUSTERDOWN: not executed; the client reconnects by itself
    refused,   ///< OOM, MISCONF, NOREPLICAS, BUSY: not executed, may be retried later
    access_denied, ///< NOAUTH, WRONGPASS, NOPERM: a configuration error
    bad_url,       ///< parse_url() was given something else
};

const boost::system::error_category& category() noexcept;
error_code make_error_code(errc value) noexcept;

/// The code of an error reply that says something about the service rather than about the data; no error for
/// the others (WRONGTYPE, ERR, NOSCRIPT, a script's own). Decided by the first word, also of what Redis 6
/// wraps.
error_code classify(std::string_view server_text) noexcept;

/// Thrown for an error reply that classify() knows.
class server_error : public system_error {
public:
    /// `where` is the server's address, `text` its own words.
    server_error(error_code code, const std::string& where, std::string text);
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// True if the command certainly did not run, so that sending it again cannot do it twice.
bool is_certainly_not_executed(const error_code& e) noexcept;

} // namespace tiktrend::redis

namespace boost::system {
template <>
struct is_error_code_enum<tiktrend::redis::errc> : std::true_type {};
} // namespace boost::system
