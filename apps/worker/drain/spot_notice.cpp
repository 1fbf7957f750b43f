#include "spot_notice.hpp"

#include <tiktrend/fetch/http_date.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace tiktrend::worker {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    return v && v->is_string() ? std::string_view{v->get_string()} : std::string_view{};
}

std::optional<json::object> parse_object(std::string_view body) {
    boost::system::error_code ec;
    auto v = json::parse(body, ec);
    if (ec || !v.is_object()) return std::nullopt;
    return std::move(v.get_object());
}

bool names(const json::object& event, std::string_view resource) {
    const auto* list = event.if_contains("Resources");
    if (resource.empty() || !list || !list->is_array() || list->get_array().empty()) return true;
    for (const auto& r : list->get_array())
        if (r.is_string() && std::string_view{r.get_string()} == resource) return true;
    return false;
}

std::optional<std::int64_t> parse_rfc3339(const std::string& text) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, end = 0;
    // NOLINTNEXTLINE(cert-err34-c): every field is checked below
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &end) != 6)
        return std::nullopt;
    auto rest = std::string_view{text}.substr(static_cast<std::size_t>(end));
    if (rest.starts_with('.'))
        rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
    using namespace std::chrono;
    const year_month_day day{year{y}, month{static_cast<unsigned>(mo)},
                             std::chrono::day{static_cast<unsigned>(d)}};
    if (rest != "Z" || !day.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
    return duration_cast<milliseconds>(
               (sys_days{day} + hours{h} + minutes{mi} + seconds{s}).time_since_epoch())
        .count();
}

} // namespace

std::optional<cloud> parse_cloud(std::string_view text) noexcept {
    if (text == "off") return cloud::none;
    if (text == "aws") return cloud::aws;
    if (text == "gcp") return cloud::gcp;
    if (text == "azure") return cloud::azure;
    return std::nullopt;
}

std::optional<std::int64_t> parse_notice_time(std::string_view text) {
    const std::string copy{text};
    if (auto t = parse_rfc3339(copy)) return t;
    return fetch::parse_http_date(copy);
}

std::int64_t usable_ms(cloud where, const spot_notice& notice, std::int64_t now_ms) noexcept {
    constexpr std::int64_t least = 1000, aws_rest = 10'000, azure_rest = 3'000;
    if (where == cloud::aws)
        return std::max(least, notice.at_ms.value_or(now_ms + 120'000) - now_ms - aws_rest);
    if (where == cloud::azure)
        return std::max(least, notice.at_ms.value_or(now_ms + 30'000) - now_ms - azure_rest);
    return 13'000;
}

std::optional<spot_notice> read_aws_action(std::string_view body) {
    const auto o = parse_object(body);
    if (!o || text_of(*o, "action").empty()) return std::nullopt;
    return spot_notice{std::string{text_of(*o, "action")}, parse_notice_time(text_of(*o, "time"))};
}

std::optional<spot_notice> read_gcp_preempted(std::string_view body) {
    if (body.substr(0, body.find_last_not_of(" \r\n") + 1) != "TRUE") return std::nullopt;
    return spot_notice{"preempted", std::nullopt};
}

std::optional<spot_notice> read_azure_events(std::string_view body, std::string_view resource) {
    const auto o = parse_object(body);
    const auto* events = o ? o->if_contains("Events") : nullptr;
    if (!events || !events->is_array()) return std::nullopt;
    for (const auto& e : events->get_array()) {
        if (!e.is_object()) continue;
        const auto type = text_of(e.get_object(), "EventType");
        if ((type == "Preempt" || type == "Terminate") && names(e.get_object(), resource))
            return spot_notice{std::string{type}, parse_notice_time(text_of(e.get_object(), "NotBefore"))};
    }
    return std::nullopt;
}

} // namespace tiktrend::worker
