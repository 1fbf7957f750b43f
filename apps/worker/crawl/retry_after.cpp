#include "retry_after.hpp"

#include <tiktrend/fetch/http_date.hpp>

#include <algorithm>

namespace tiktrend::worker {

using std::chrono::milliseconds;

std::optional<milliseconds> parse_retry_after(std::string_view value, std::int64_t now_ms, milliseconds cap) {
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
        value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
        value.remove_suffix(1);
    if (value.empty()) return {};
    if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        std::int64_t seconds = 0;
        for (const char c : value) {
            seconds = seconds * 10 + (c - '0');
            if (seconds * 1000 >= cap.count()) return cap; // also keeps the number from overflowing
        }
        return milliseconds{seconds * 1000};
    }
    const auto moment = fetch::parse_http_date(value);
    if (!moment) return {};
    return milliseconds{std::clamp<std::int64_t>(*moment - now_ms, 0, cap.count())};
}

} // namespace tiktrend::worker
