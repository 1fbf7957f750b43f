#include "job_id.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>
#include <array>

namespace tiktrend::queue {
namespace {

// Second words of the queue's own keys, and of those whose third word could be a job's satellite
// ("metrics:failed"). "waiting" is no key: it is refused for new jobs, as it names a state, but other clients
// may have stored such a job.
constexpr std::array<std::string_view, 25> reserved{
    "id",     "meta",    "wait",          "paused",   "active",           "prioritized",
    "pc",     "delayed", "delay",         "marker",   "waiting-children", "completed",
    "failed", "stalled", "stalled-check", "events",   "limiter",          "repeat",
    "de",     "dn",      "metrics",       "priority", "waiting",          "group",
    "groups"};

constexpr std::array<std::string_view, 6> satellites{"lock",      "logs",   "dependencies",
                                                     "processed", "failed", "unsuccessful"};

bool contains(const auto& names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_digits(std::string_view text) noexcept {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

bool is_possible_job_id(std::string_view id) noexcept {
    if (id.empty()) return false;
    const auto first = id.find(':'), last = id.rfind(':');
    if (first == std::string_view::npos) return !contains(reserved, id) || id == "waiting";
    const auto end = id.substr(last + 1);
    if (id.substr(0, first) == "repeat")
        return first != last && is_digits(end); // repeat:<scheduler>:<millis>
    return !contains(reserved, id.substr(0, first)) && !contains(satellites, end);
}

bool is_valid_custom_id(std::string_view id) noexcept {
    if (id.empty() || id.size() > 1000 || id.find(':') != std::string_view::npos) return false;
    auto digits = id;
    if (digits.front() == '-') digits.remove_prefix(1);
    if (is_digits(digits) || contains(reserved, id)) return false;
    return is_valid_utf8(id);
}

} // namespace tiktrend::queue
