#include "job_id.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>
#include <array>

namespace tiktrend::queue {
namespace {

// Second words of the queue's own keys, and of those whose third word could be a job's satellite
// ("metrics:failed").
constexpr std::array<std::string_view, 23> reserved{
    "id",     "meta",    "wait",          "paused",   "active",           "prioritized",
    "pc",     "delayed", "delay",         "marker",   "waiting-children", "completed",
    "failed", "stalled", "stalled-check", "events",   "limiter",          "repeat",
    "de",     "dn",      "metrics",       "priority", "waiting"};

} // namespace

bool is_valid_custom_id(std::string_view id) noexcept {
    if (id.empty() || id.size() > 1000 || id.find(':') != std::string_view::npos) return false;
    auto digits = id;
    if (digits.front() == '-') digits.remove_prefix(1);
    if (!digits.empty() &&
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return false;
    if (std::find(reserved.begin(), reserved.end(), id) != reserved.end()) return false;
    return is_valid_utf8(id);
}

} // namespace tiktrend::queue
