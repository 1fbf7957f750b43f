#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::queue {

/// When something is due, as crontab says it and cron-parser 5 reads it (the parser of BullMQ 6): five fields
/// (minute, hour, day of month, month, day of week) or six (a second before them); fewer are filled up from
/// the left with 0 * * * * *. A field is a list of values, ranges (`1-5`), steps (`*/10`, `5/15`, `8-18/2`),
/// `*` or `?`; months and weekdays also by name
/// (`jan`, `MON`), weekday 0 and 7 are Sunday. Day of month `L` is the last day, weekday `5L` the last Friday
/// of the month, `5#3` the third Friday. Where day of month and weekday are both restricted, either is
/// enough. `@yearly`, `@annually`, `@monthly`,
/// `@weekly`, `@daily`, `@hourly`, `@minutely`, `@secondly`, `@weekdays` and `@weekends` are names for the
/// usual ones. cron-parser's random `H` is refused: who fetches a job computes the next time, and all must
/// agree.
///
/// Pure: no clock, no I/O but the system's time zone files.
class cron_expression {
public:
    /// Empty if `text` is not one; `why` then says which part and which rule.
    static std::optional<cron_expression> parse(std::string_view text, std::string& why);

    /// The first time after `after_ms` (ms since the epoch), at a whole second, that fits the local time of
    /// `time_zone` (IANA name, "UTC", "UTC+2"; empty: UTC). Empty if there is none (30 February). Throws
    /// std::invalid_argument for an unknown zone. Daylight saving as cron-parser: what falls into a skipped
    /// hour is due in the hour after it; in a repeated hour the first passing counts, unless every hour is
    /// meant.
    std::optional<std::int64_t> next_after(std::int64_t after_ms, std::string_view time_zone) const;

private:
    friend class cron_parser;
    friend class cron_walk;
    std::uint64_t seconds_ = 0, minutes_ = 0, hours_ = 0, months_ = 0; ///< bit n: value n
    std::uint64_t days_ = 0, weekdays_ = 0;
    std::uint64_t last_weekdays_ = 0;            ///< weekdays whose last one of the month fits; 0 without `L`
    bool on_last_day_ = false;                   ///< `L` in the day of month
    std::int32_t nth_weekday_ = 0;               ///< `#`; 0: any
    bool any_day_ = false, any_weekday_ = false; ///< `*` or `?` alone
};

/// True if next_after() knows the zone.
bool is_time_zone(std::string_view name);

} // namespace tiktrend::queue
