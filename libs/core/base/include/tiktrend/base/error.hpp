#pragma once
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tiktrend {

using error_code = boost::system::error_code;
using system_error = boost::system::system_error;

/// An outcome that depends on input or state. Unavailability and bugs throw instead; each header says which.
template <class T, class E = error_code>
using result = boost::system::result<T, E>;

/// Error codes of tiktrend::base.
enum class errc {
    timed_out = 1, ///< a deadline passed before the operation ended
    stopped,       ///< the object was stopped, or never started
    overloaded,    ///< a bound on waiting work was reached; nothing was started
};

const boost::system::error_category& base_category() noexcept;
error_code make_error_code(errc value) noexcept;

/// True if `e` is the cancellation of an Asio operation (boost::asio::error::operation_aborted).
bool is_cancelled(const error_code& e) noexcept;

/// The message of the exception in flight or stored in `e`: what() for std::exception, "unknown exception"
/// otherwise.
std::string message_of(std::exception_ptr e);

} // namespace tiktrend

namespace boost::system {
template <>
struct is_error_code_enum<tiktrend::errc> : std::true_type {};
} // namespace boost::system
