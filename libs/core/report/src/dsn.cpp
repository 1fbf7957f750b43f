#include <tiktrend/fetch/url.hpp>
#include <tiktrend/report/dsn.hpp>

#include <algorithm>

namespace tiktrend::report {

std::optional<dsn> parse_dsn(std::string_view text) {
    const auto scheme_end = text.find("://");
    const auto at = text.find('@');
    if (scheme_end == std::string_view::npos || at == std::string_view::npos || at < scheme_end)
        return std::nullopt;
    const auto user = text.substr(scheme_end + 3, at - scheme_end - 3);
    dsn out;
    out.key = user.substr(0, user.find(':'));
    const auto slash = text.rfind('/');
    if (slash == std::string_view::npos || slash < at) return std::nullopt;
    const auto project = text.substr(slash + 1);
    const auto is_name = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_';
    };
    if (out.key.empty() || project.empty() || !std::all_of(out.key.begin(), out.key.end(), is_name) ||
        !std::all_of(project.begin(), project.end(), is_name))
        return std::nullopt;
    const auto base =
        std::string{text.substr(0, scheme_end + 3)} + std::string{text.substr(at + 1, slash - at - 1)};
    const auto url = fetch::parse_url(base);
    if (!url) return std::nullopt;
    const auto host = url->host.find(':') == std::string::npos ? url->host : '[' + url->host + ']';
    out.host_port = host + ':' + std::to_string(url->port);
    out.origin = url->scheme + "://" + out.host_port;
    out.envelope_url = base + "/api/" + std::string{project} + "/envelope/";
    return out;
}

} // namespace tiktrend::report
