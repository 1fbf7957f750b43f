#include <tiktrend/fetch/http_date.hpp>

#include <curl/curl.h>

#include <string>

namespace tiktrend::fetch {

std::optional<std::int64_t> parse_http_date(std::string_view text) {
    // libcurl's reader takes much more than HTTP allows ("10:00", "Mon"), so the outline is checked first: a
    // day name, a time.
    constexpr std::size_t shortest = 24; // "Sun Nov  6 08:49:37 1994"
    constexpr std::size_t longest = 40;
    if (text.size() < shortest || text.size() > longest || text.find(':') == std::string_view::npos)
        return {};
    constexpr std::string_view days = "MonTueWedThuFriSatSun";
    const auto day = days.find(text.substr(0, 3));
    if (day == std::string_view::npos || day % 3 != 0) return {};
    const auto seconds = curl_getdate(std::string{text}.c_str(), nullptr);
    if (seconds < 0) return {};
    return std::int64_t{seconds} * 1000;
}

} // namespace tiktrend::fetch
