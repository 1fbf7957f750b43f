#include <tiktrend/redis/address.hpp>
#include <tiktrend/redis/error.hpp>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>

namespace tiktrend::redis {
namespace {

template <class I>
bool parse_number(std::string_view text, I& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && std::in_range<std::uint32_t>(out);
}

} // namespace

std::string address::to_string() const {
    auto out = unix_path.empty() ? std::string{tls ? "rediss://" : "redis://"} : std::string{"unix://"};
    if (!user.empty()) out += user + '@';
    if (!unix_path.empty())
        out += unix_path;
    else
        out += (host.find(':') != std::string::npos ? '[' + host + ']' : host) + ':' + std::to_string(port);
    if (database != 0) out += (unix_path.empty() ? "/" : "?db=") + std::to_string(database);
    return out;
}

result<address> parse_url(std::string_view url) {
    const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
    if (!parsed || parsed->has_fragment()) return errc::bad_url;
    const std::string scheme{parsed->scheme()};
    const bool is_unix = scheme == "unix" || scheme == "redis+unix";
    address a;
    a.tls = scheme == "rediss";
    if (!is_unix && !a.tls && scheme != "redis") return errc::bad_url;

    a.user = parsed->user();
    a.password = parsed->password();
    const std::string path{parsed->path()};
    if (is_unix) {
        if (path.size() < 2 || !parsed->host().empty()) return errc::bad_url;
        a.unix_path = path;
    } else {
        if (parsed->host().empty()) return errc::bad_url;
        a.host =
            parsed->host_type() == boost::urls::host_type::ipv6 ? parsed->host_address() : parsed->host();
        if (parsed->has_port() && (!parse_number(std::string{parsed->port()}, a.port) || a.port == 0))
            return errc::bad_url;
        if (path.size() > 1 && !parse_number(std::string_view{path}.substr(1), a.database))
            return errc::bad_url;
    }
    for (const auto& parameter : parsed->params()) {
        if (parameter.key == "db" && is_unix) {
            if (!parse_number(parameter.value, a.database)) return errc::bad_url;
        } else if (parameter.key == "ca" && a.tls) {
            a.ca_file = parameter.value;
        } else {
            return errc::bad_url;
        }
    }
    return a;
}

} // namespace tiktrend::redis
