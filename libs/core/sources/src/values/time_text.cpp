#include "values/time_text.hpp"

#include "glob.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

namespace tiktrend::sources {
namespace {

constexpr reject no_time{"is no date or time"};

/// Reads a text from the left; every step may fail, and nothing is read after the first failure.
class cursor {
public:
    explicit cursor(std::string_view text) noexcept : rest_{text} {}

    int number(std::size_t digits) noexcept {
        int value = 0;
        if (rest_.size() < digits) return fail();
        for (std::size_t i = 0; i < digits; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') return fail();
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }

    bool take(char c) noexcept {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char c) noexcept {
        if (!take(c)) fail();
    }

    int month_name() noexcept {
        static constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const auto found = std::find(names.begin(), names.end(), rest_.substr(0, 3));
        if (found == names.end()) return fail();
        rest_.remove_prefix(3);
        return static_cast<int>(found - names.begin()) + 1;
    }

    /// Fraction of a second, any number of digits, as milliseconds.
    int milliseconds() noexcept {
        int value = 0;
        int factor = 100;
        std::size_t digits = 0;
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            value += (rest_.front() - '0') * factor;
            factor /= 10;
            rest_.remove_prefix(1);
            ++digits;
        }
        return digits > 0 ? value : fail();
    }

    bool is_done() const noexcept { return rest_.empty(); }
    bool has_failed() const noexcept { return has_failed_; }
    std::string_view rest() const noexcept { return rest_; }

private:
    int fail() noexcept {
        has_failed_ = true;
        rest_ = {};
        return 0;
    }

    std::string_view rest_;
    bool has_failed_ = false;
};

converted<std::int64_t> combine(int year, int month, int day, int hour, int minute, int second, int ms,
                                int offset_minutes) {
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                              std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || hour > 24 || minute > 59 || second > 60) return no_time;
    const auto time =
        sys_days{date}.time_since_epoch() + hours{hour} + minutes{minute - offset_minutes} + seconds{second};
    return duration_cast<milliseconds>(time).count() + ms;
}

converted<std::int64_t> iso(std::string_view text) {
    cursor c{text};
    const int year = c.number(4);
    c.expect('-');
    const int month = c.number(2);
    c.expect('-');
    const int day = c.number(2);
    int hour = 0;
    int minute = 0;
    int second = 0;
    int ms = 0;
    int offset = 0;
    if (!c.is_done() && (c.take('T') || c.take('t') || c.take(' '))) {
        hour = c.number(2);
        c.expect(':');
        minute = c.number(2);
        if (c.take(':')) second = c.number(2);
        if (c.take('.') || c.take(',')) ms = c.milliseconds();
        c.take(' ');
        if (c.rest().starts_with('+') || c.rest().starts_with('-')) {
            const int sign = c.take('-') ? -1 : 1;
            c.take('+');
            offset = c.number(2) * 60;
            c.take(':');
            if (!c.is_done()) offset += c.number(2);
            offset *= sign;
        } else if (!c.take('Z')) {
            c.take('z');
        }
    }
    if (c.has_failed() || !c.is_done()) return no_time;
    return combine(year, month, day, hour, minute, second, ms, offset);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT".
converted<std::int64_t> http(std::string_view text) {
    const auto comma = text.find(", ");
    if (comma == std::string_view::npos) return no_time;
    cursor c{text.substr(comma + 2)};
    const int day = c.number(2);
    const bool is_old = c.take('-');
    if (!is_old) c.expect(' ');
    const int month = c.month_name();
    c.expect(is_old ? '-' : ' ');
    int year = 0;
    if (is_old) {
        year = c.number(2);
        year += year < 70 ? 2000 : 1900;
    } else {
        year = c.number(4);
    }
    c.expect(' ');
    const int hour = c.number(2);
    c.expect(':');
    const int minute = c.number(2);
    c.expect(':');
    const int second = c.number(2);
    if (c.has_failed() || (c.rest() != " GMT" && c.rest() != " UTC")) return no_time;
    return combine(year, month, day, hour, minute, second, 0, 0);
}

} // namespace

converted<std::int64_t> time_from_text(std::string_view text) {
    text = trim_blanks(text);
    if (text.empty() || text.size() > 64) return no_time;
    std::int64_t unix = 0;
    if (const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), unix);
        failure == std::errc{} && end == text.data() + text.size()) {
        constexpr std::int64_t least_ms = 100'000'000'000;    // 1973 in ms, the year 5138 in s
        constexpr std::int64_t most_ms = 253'402'300'799'999; // the end of the year 9999
        if (unix < 0 || unix > most_ms) return no_time;
        return unix >= least_ms ? unix : unix * 1000;
    }
    return text.front() >= '0' && text.front() <= '9' ? iso(text) : http(text);
}

std::string time_to_text(std::int64_t ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds{ms}};
    const auto days = floor<std::chrono::days>(time);
    const year_month_day date{days};
    const hh_mm_ss clock{time - days};
    auto out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    if (clock.subseconds().count() != 0) out += fmt::format(".{:03}", clock.subseconds().count());
    return out + "Z";
}

} // namespace tiktrend::sources
