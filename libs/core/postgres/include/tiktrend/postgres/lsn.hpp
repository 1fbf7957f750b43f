#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::postgres {

/// A position in the write-ahead log. Zero is "before everything" (PostgreSQL never hands it out).
/// https://www.postgresql.org/docs/15/datatype-pg-lsn.html
struct lsn {
    std::uint64_t value = 0;

    /// "16/B374D848" → value; empty for anything else.
    static std::optional<lsn> parse(std::string_view text) noexcept;
    std::string to_string() const;

    friend auto operator<=>(const lsn&, const lsn&) = default;
};

} // namespace tiktrend::postgres
