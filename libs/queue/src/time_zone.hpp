#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace date {
class time_zone;
}

namespace tiktrend::queue {

/// What a time zone's clocks show, from the system's zone files, which say what is fixed by law up to 2037.
/// Cheap to copy; remembers the period it was last asked about.
class time_zone {
public:
    /// An IANA name (also in another case), "UTC" or "GMT", either with a fixed offset ("UTC+5:30"); empty:
    /// UTC. Empty if there is no such zone.
    static std::optional<time_zone> find(std::string_view name);

    /// Local time minus UTC at this instant, ms.
    std::int64_t offset_at(std::int64_t utc_ms) const;

private:
    const date::time_zone* zone_ = nullptr; ///< nullptr: a fixed offset
    mutable std::int64_t offset_ms_ = 0;
    mutable std::int64_t begin_ms_ = 0, end_ms_ = 0; ///< period of offset_ms_
};

} // namespace tiktrend::queue
