#include "time_zone.hpp"

#include <tiktrend/queue/cron.hpp>

#include <date/date.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace tiktrend::queue {
namespace {

constexpr std::int64_t second_ms = 1000, minute_ms = 60 * second_ms, hour_ms = 60 * minute_ms,
                       day_ms = 24 * hour_ms;
constexpr int longest_walk = 10'000; ///< steps; beyond, nothing will ever fit

bool has(std::uint64_t bits, int n) noexcept {
    return (bits >> n & 1) != 0;
}
/// The smallest value above n, or -1.
int next_value(std::uint64_t bits, int n) noexcept {
    const auto above = n >= 63 ? 0 : bits >> (n + 1) << (n + 1);
    return above == 0 ? -1 : std::countr_zero(above);
}

/// A time with the calendar and the clock of a zone.
class local_clock {
public:
    local_clock(std::int64_t utc_ms, const time_zone& zone)
        : zone_{zone}, utc_ms_{utc_ms}, offset_{zone_.offset_at(utc_ms)} {}

    std::int64_t utc_ms() const noexcept { return utc_ms_; }
    std::int64_t offset() const noexcept { return offset_; }
    int hour() const noexcept { return static_cast<int>(in_day() / hour_ms); }
    int minute() const noexcept { return static_cast<int>(in_day() / minute_ms % 60); }
    int second() const noexcept { return static_cast<int>(in_day() / second_ms % 60); }
    date::year_month_day day() const noexcept {
        return date::year_month_day{date::sys_days{date::days{floor_day()}}};
    }
    int weekday() const noexcept {
        return static_cast<int>(date::weekday{date::sys_days{date::days{floor_day()}}}.c_encoding());
    }

    void set_hour(int h) { set_local(local() + (h - hour()) * hour_ms); }
    void set_minute(int m) { set_local(local() + (m - minute()) * minute_ms); }
    void set_second(int s) { set_local(local() + (s - second()) * second_ms); }
    void add_second() { add(second_ms); }
    void to_next_minute() {
        add(minute_ms);
        set_local(local() - local_remainder(minute_ms));
    }
    void to_next_hour() {
        add(hour_ms);
        set_local(local() - local_remainder(hour_ms));
    }
    void to_next_day() {
        set_local(local() + day_ms);
        to_start_of_day();
    }
    void to_next_month() {
        // As a calendar moves: the same time of the next month, on its last day at most; then back to its
        // start.
        const auto today = day();
        const auto month = date::year_month{today.year(), today.month()} + date::months{1};
        const auto last = (month / date::last).day();
        set_local(days_of(month / std::min(today.day(), last)) * day_ms + in_day());
        set_local(days_of(month / 1) * day_ms);
    }
    void to_start_of_day() { set_local(floor_day() * day_ms); }

    /// The clock is changed on this day.
    bool has_changing_day() const {
        auto begin = *this;
        begin.to_start_of_day();
        auto end = *this;
        end.to_next_day();
        return begin.offset() != zone_.offset_at(end.utc_ms() - 1);
    }

private:
    static std::int64_t days_of(const date::year_month_day& d) {
        return date::sys_days{d}.time_since_epoch().count();
    }
    std::int64_t local() const noexcept { return utc_ms_ + offset_; }
    std::int64_t floor_day() const noexcept { return (local() - local_remainder(day_ms)) / day_ms; }
    std::int64_t local_remainder(std::int64_t unit) const noexcept { return (local() % unit + unit) % unit; }
    std::int64_t in_day() const noexcept { return local_remainder(day_ms); }

    void add(std::int64_t ms) {
        utc_ms_ += ms;
        offset_ = zone_.offset_at(utc_ms_);
    }
    /// A local time as an instant: of a repeated one the passing with the offset of before; a skipped one
    /// moves on by what was skipped.
    void set_local(std::int64_t local_ms) {
        const auto guess = local_ms - offset_;
        const auto second = zone_.offset_at(guess);
        if (second == offset_) {
            utc_ms_ = guess;
            return;
        }
        const auto corrected = local_ms - second;
        const auto third = zone_.offset_at(corrected);
        if (third == second) {
            utc_ms_ = corrected;
            offset_ = second;
            return;
        }
        utc_ms_ = local_ms - std::min(second, third);
        offset_ = std::max(second, third);
    }

    time_zone zone_;
    std::int64_t utc_ms_;
    std::int64_t offset_;
};

} // namespace

/// The search for the next time that fits: month by month, day by day, then by the clock. It passes changes
/// of the clock hour by hour, and remembers them, because what was skipped is due after the gap and what is
/// repeated is due once. This follows the order of steps of cron-parser 5, since both libraries must agree on
/// the next id of a scheduler.
class cron_walk {
public:
    cron_walk(const cron_expression& e, std::int64_t after_ms, const time_zone& zone)
        : e_{e}, after_ms_{after_ms}, now_{after_ms - (after_ms % second_ms + second_ms) % second_ms, zone} {}

    std::optional<std::int64_t> find() {
        if (now_.utc_ms() != after_ms_) step([](local_clock& c) { c.add_second(); });
        for (int i = 1; i < longest_walk; ++i) {
            if (!has(e_.months_, static_cast<int>(unsigned{now_.day().month()})))
                now_.to_next_month();
            else if (!is_day())
                now_.to_next_day();
            else if (!is_hour())
                continue;
            else if (!has(e_.minutes_, now_.minute()))
                move_minute();
            else if (!has(e_.seconds_, now_.second()))
                move_second();
            else if (now_.utc_ms() == after_ms_)
                step([](local_clock& c) { c.add_second(); });
            else
                return now_.utc_ms();
        }
        return {};
    }

private:
    bool every_hour() const noexcept { return std::popcount(e_.hours_) == 24; }

    /// A step of the clock, which may pass a change of it.
    template <class F>
    void step(F move) {
        const auto hour = now_.hour();
        const auto offset = now_.offset();
        move(now_);
        if (every_hour()) return;
        const auto passed = (now_.hour() - hour + 24) % 24;
        if (now_.offset() > offset && passed >= 2) {
            first_skipped_ = (hour + 1) % 24;
            landing_ = now_.hour();
        } else if (passed == 0 && now_.minute() == 0 && now_.second() == 0) {
            repeated_ = now_.hour();
        }
    }

    bool is_day() const {
        const auto today = now_.day();
        const auto day = static_cast<int>(unsigned{today.day()});
        const auto weekday = now_.weekday();
        const auto last = static_cast<int>(unsigned{(today.year() / today.month() / date::last).day()});
        const bool fits_day = has(e_.days_, day) || (e_.on_last_day_ && day == last);
        const bool is_nth = e_.nth_weekday_ == 0 || (day + 6) / 7 == e_.nth_weekday_;
        const bool fits_weekday =
            (has(e_.weekdays_, weekday) && is_nth) || (has(e_.last_weekdays_, weekday) && day > last - 7);
        if (e_.any_weekday_) return fits_day;
        if (e_.any_day_) return fits_weekday;
        return fits_day || fits_weekday;
    }

    bool is_hour() {
        const auto hour = now_.hour();
        if (landing_ == hour) // what was meant for a skipped hour is due here
            for (auto skipped = first_skipped_; skipped != hour; skipped = (skipped + 1) % 24)
                if (has(e_.hours_, skipped)) return true;
        if (repeated_ == hour) { // this hour has been
            repeated_ = none;
            step([](local_clock& c) { c.to_next_hour(); });
            return false;
        }
        if (has(e_.hours_, hour)) return true;
        first_skipped_ = landing_ = none;
        move_hour(hour);
        return false;
    }

    void move_hour(int hour) {
        const auto next = next_value(e_.hours_, hour);
        if (next < 0) {
            now_.to_next_day();
            return;
        }
        if (now_.has_changing_day()) {
            for (int i = 0; i < next - hour; ++i) {
                step([](local_clock& c) { c.to_next_hour(); });
                if (now_.hour() >= next) break; // a skipped hour makes two of one step
            }
        } else {
            now_.set_hour(next);
        }
        now_.set_minute(std::countr_zero(e_.minutes_));
        now_.set_second(std::countr_zero(e_.seconds_));
    }

    void move_minute() {
        const auto next = next_value(e_.minutes_, now_.minute());
        if (next < 0) step([](local_clock& c) { c.to_next_hour(); });
        now_.set_minute(next < 0 ? std::countr_zero(e_.minutes_) : next);
        now_.set_second(std::countr_zero(e_.seconds_));
    }

    void move_second() {
        const auto next = next_value(e_.seconds_, now_.second());
        if (next < 0) step([](local_clock& c) { c.to_next_minute(); });
        now_.set_second(next < 0 ? std::countr_zero(e_.seconds_) : next);
    }

    static constexpr int none = -1;
    const cron_expression& e_;
    std::int64_t after_ms_;
    local_clock now_;
    int first_skipped_ = none, landing_ = none; ///< hours around the gap that was passed last
    int repeated_ = none;                       ///< the hour that has begun again
};

std::optional<std::int64_t> cron_expression::next_after(std::int64_t after_ms, std::string_view name) const {
    const auto zone = time_zone::find(name);
    if (!zone) throw std::invalid_argument("there is no time zone \"" + std::string{name} + "\"");
    return cron_walk{*this, after_ms, *zone}.find();
}

} // namespace tiktrend::queue
