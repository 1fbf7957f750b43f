#include "time_zone.hpp"

#include <tiktrend/queue/cron.hpp>

#include <date/tz.h>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::queue {
namespace {

bool equals_in_any_case(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// "+5", "-03:30" in ms.
std::optional<std::int64_t> fixed_offset(std::string_view text) {
    const bool is_west = text.starts_with('-');
    if (!is_west && !text.starts_with('+')) return {};
    text.remove_prefix(1);
    std::int64_t hours = 0, minutes = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 2 && is_digit(text[digits]))
        hours = hours * 10 + (text[digits++] - '0');
    if (digits == 0) return {};
    text.remove_prefix(digits);
    if (!text.empty()) {
        if (text.size() != 3 || text[0] != ':' || !is_digit(text[1]) || !is_digit(text[2])) return {};
        minutes = (text[1] - '0') * 10 + (text[2] - '0');
    }
    const auto ms = (hours * 60 + minutes) * 60'000;
    return is_west ? -ms : ms;
}

const date::time_zone* locate(std::string_view name) {
    try {
        return date::locate_zone(std::string{name});
    } catch (const std::runtime_error&) { // not there; maybe in another case
    }
    for (const auto& zone : date::get_tzdb().zones)
        if (equals_in_any_case(zone.name(), name)) return &zone;
    return nullptr;
}

} // namespace

std::optional<time_zone> time_zone::find(std::string_view name) {
    time_zone out;
    if (name.empty() || equals_in_any_case(name, "UTC") || equals_in_any_case(name, "GMT")) return out;
    if (name.size() > 3 && equals_in_any_case(name.substr(0, 3), "UTC")) {
        const auto offset = fixed_offset(name.substr(3));
        if (!offset) return {};
        out.offset_ms_ = *offset;
        return out;
    }
    if (name.size() > 64) return {};
    out.zone_ = locate(name);
    if (!out.zone_) return {};
    return out;
}

std::int64_t time_zone::offset_at(std::int64_t utc_ms) const {
    if (!zone_ || (utc_ms >= begin_ms_ && utc_ms < end_ms_)) return offset_ms_;
    using namespace std::chrono;
    const auto info = zone_->get_info(date::sys_time<milliseconds>{milliseconds{utc_ms}});
    offset_ms_ = duration_cast<milliseconds>(info.offset).count();
    // The first and the last period have no bound that fits milliseconds.
    static constexpr std::int64_t far = 1'000'000'000'000;
    const auto bounded = [](seconds s) { return std::clamp<std::int64_t>(s.count(), -far, far) * 1000; };
    begin_ms_ = bounded(info.begin.time_since_epoch());
    end_ms_ = bounded(info.end.time_since_epoch());
    return offset_ms_;
}

bool is_time_zone(std::string_view name) {
    return time_zone::find(name).has_value();
}

} // namespace tiktrend::queue
