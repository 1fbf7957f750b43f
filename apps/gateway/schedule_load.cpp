#include "schedule_load.hpp"

#include <tiktrend/queue/cron.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace tiktrend::gateway {
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
constexpr std::size_t day_fields = 3; ///< day of month, month, weekday: the last ones

std::string on_each_day(std::string_view cron) {
    if (cron.starts_with('@')) return std::string{cron};
    std::vector<std::string> fields;
    std::istringstream text{std::string{cron}};
    for (std::string field; text >> field;)
        fields.push_back(std::move(field));
    std::string out;
    for (std::size_t i = 0; i + day_fields < fields.size(); ++i)
        out += fields[i] + ' ';
    return out + "* * *";
}

} // namespace

std::int64_t runs_a_day(std::optional<std::chrono::milliseconds> every, std::string_view cron,
                        std::int64_t cap) {
    if (every)
        return std::min(cap, (day_ms + every->count() - 1) / std::max<std::int64_t>(every->count(), 1));
    std::string why;
    const auto rule = queue::cron_expression::parse(on_each_day(cron), why);
    if (!rule) return 0;
    std::int64_t n = 0;
    const auto first = rule->next_after(0, {});
    for (auto at = first; at && *at < *first + day_ms && n < cap; at = rule->next_after(*at, {}))
        ++n;
    return n;
}

} // namespace tiktrend::gateway
