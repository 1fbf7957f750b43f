#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/router.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::catalog {

/// What is counted by user and day. Names are stored and exported: do not change.
enum class usage_kind : std::uint8_t { scrapes, copies };
inline constexpr std::array usage_kinds{usage_kind::scrapes, usage_kind::copies};
std::string_view to_string(usage_kind k) noexcept;
std::optional<usage_kind> parse_usage_kind(std::string_view name) noexcept;

/// Days since 1970-01-01 in UTC: quotas begin anew at midnight UTC.
constexpr std::int64_t usage_day_of(std::int64_t unix_ms) noexcept {
    return unix_ms / 86'400'000;
}

/// What cached answers about a user's quotas are called, in the cache's scope "quota". The day is in it, so
/// that none outlives midnight.
inline std::string usage_answer_id(std::int64_t user_id, std::int64_t day) {
    return std::to_string(user_id) + '-' + std::to_string(day);
}

/// Whose use of what, on which day.
struct usage_key {
    std::int64_t user_id = 0;
    usage_kind kind = usage_kind::scrapes;
    std::int64_t day = 0;
    friend auto operator<=>(const usage_key&, const usage_key&) = default;
};

struct usage_state {
    std::int64_t used = 0;
    std::optional<std::int64_t> limit; ///< per day; empty: none
};

/// Use and quotas by user, kind and day, counted in PostgreSQL so that it holds over all gateways. Throws as
/// pool::query(); owned by one executor, the router must outlive it.
class usage_store {
public:
    explicit usage_store(postgres::router& router) : router_{router} {}

    struct taken {
        std::int64_t granted = 0; ///< 0 … wanted
        usage_state state;        ///< with what was granted
        std::uint64_t lsn = 0;    ///< the count is visible from this position on (taken after the commit)
    };
    /// Takes up to `wanted` of what is left today and counts it, in one transaction under the row's lock:
    /// concurrent takers never get more than the limit together. `standard`: the limit of users without one
    /// of their own; empty: none. The user must exist (server_error 23503). After postgres::errc::timed_out
    /// or connection_lost it may have been counted.
    task<taken> take(usage_key key, std::int64_t wanted, std::optional<std::int64_t> standard);

    /// Gives back what was taken and not used, never below zero. The position it is visible from.
    task<std::uint64_t> give_back(usage_key key, std::int64_t n);

    /// What a user used, and may use; `standard` as above. Second: the position the primary had before the
    /// read.
    task<std::pair<usage_state, std::uint64_t>> read(usage_key key, std::optional<std::int64_t> standard);

    /// Sums of a day over all users, in the order of usage_kinds.
    task<std::array<std::int64_t, usage_kinds.size()>> totals(std::int64_t day);

    /// A limit of this user's own; empty: the standard one again.
    task<void> set_limit(std::int64_t user_id, usage_kind kind, std::optional<std::int64_t> daily_limit);

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
