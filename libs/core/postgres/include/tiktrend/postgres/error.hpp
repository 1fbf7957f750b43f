#pragma once
#include <tiktrend/base/error.hpp>

#include <string>
#include <string_view>

namespace tiktrend::postgres {

/// What can go wrong with PostgreSQL. Thrown as system_error, or as server_error when the server said it.
enum class errc {
    not_connected = 1, ///< no connection could be made; nothing was sent
    connection_lost, ///< the connection went away, or the server shut it (08*, 57P01-57P03): a write may have
                     ///< happened
    pool_timeout,    ///< no connection became free within the acquire timeout; nothing was sent (503)
    timed_out,       ///< no answer within the response timeout: a write may have happened
    read_only, ///< 25006: the "primary" is a standby now; the pool drops its connections and finds the new
               ///< one
    conflict,  ///< 40001 or 40P01: rolled back, the same transaction may be tried again
    cancelled, ///< 57014: statement timeout or a cancel request; rolled back
    exhausted, ///< 53*: out of connections, memory or disk; rolled back
    statement_failed, ///< any other SQLSTATE; rolled back
    pipeline_aborted, ///< an earlier statement of the same batch failed, so this one did not run
    protocol_error,   ///< libpq and the server disagree; the connection is closed
    bad_url,          ///< not a libpq connection URL or keyword string
};

const boost::system::error_category& category() noexcept;
error_code make_error_code(errc value) noexcept;

/// True if the service, not the statement, is at fault: the caller answers 503 or tries later.
bool is_unavailable(const error_code& e) noexcept;
/// True if the same transaction may be tried again at once (with jitter): it was rolled back because of
/// others.
inline bool is_retryable(const error_code& e) noexcept {
    return e == make_error_code(errc::conflict);
}

/// The errc that a SQLSTATE stands for (https://www.postgresql.org/docs/15/errcodes-appendix.html).
errc classify(std::string_view sqlstate) noexcept;

/// An error that the server reported. code() is classify(sqlstate()); what() carries SQLSTATE and message,
/// for the log only.
class server_error : public system_error {
public:
    server_error(std::string sqlstate, std::string message, std::string detail, std::string constraint);

    const std::string& sqlstate() const noexcept { return sqlstate_; } ///< five characters, as it came
    const std::string& message() const noexcept { return message_; }   ///< the primary message
    const std::string& detail() const noexcept { return detail_; }     ///< may quote data; empty if none
    const std::string& constraint() const noexcept {
        return constraint_;
    } ///< name of the violated constraint, if any

private:
    std::string sqlstate_, message_, detail_, constraint_;
};

} // namespace tiktrend::postgres

namespace boost::system {
template <>
struct is_error_code_enum<tiktrend::postgres::errc> : std::true_type {};
} // namespace boost::system
