#pragma once
#include <tiktrend/base/error.hpp>

namespace tiktrend::catalog {

/// Outcomes of the domain, returned as result<T>. Unavailability of PostgreSQL is thrown (postgres::errc).
enum class errc {
    fenced = 1, ///< a newer attempt of the job has started: this one must stop and may not report anything
    already_finished, ///< the job's effect is complete: report its totals instead of doing it again
    not_started,      ///< finish_run() of an attempt that neither started nor committed anything
    bad_key,          ///< not the text of an API key
    unknown_key,      ///< no such key, or its secret is wrong
    revoked_key,      ///< revoked or expired
    email_taken,      ///< another user has this e-mail address
    subject_taken,    ///< another user has this subject
};

const boost::system::error_category& category() noexcept;
error_code make_error_code(errc value) noexcept;

} // namespace tiktrend::catalog

namespace boost::system {
template <>
struct is_error_code_enum<tiktrend::catalog::errc> : std::true_type {};
} // namespace boost::system
