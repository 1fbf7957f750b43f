#include <tiktrend/redis/address.hpp>
#include <tiktrend/redis/error.hpp>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

namespace tiktrend::redis {
namespace {

template <class I>
bool parse_number(std::string_view text, I& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && std::in_range<std::uint32_t>(out);
}

} // namespace

std::string endpoint::to_string() const {
    return (host.find(':') != std::string::npos ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::string address::to_string() const {
    std::string out = tls ? "rediss" : "redis";
    if (kind == topology::sentinel) out += "+sentinel";
    if (kind == topology::cluster) out += "+cluster";
    out += "://";
    if (!unix_path.empty()) out = "unix://";
    if (!user.empty()) out += user + '@';
    if (!unix_path.empty())
        out += unix_path;
    else if (kind == topology::standalone)
        out += endpoint{host, port}.to_string();
    for (std::size_t i = 0; i < nodes.size(); ++i)
        out.append(i > 0 ? "," : "").append(nodes[i].to_string());
    if (!master.empty()) out += '/' + master;
    if (database != 0) out += (unix_path.empty() ? "/" : "?db=") + std::to_string(database);
    return out;
}

address at_node(const address& a, const endpoint& node) {
    auto out = a;
    out.kind = topology::standalone;
    out.nodes.clear();
    out.master.clear();
    out.host = node.host;
    out.port = node.port;
    return out;
}

namespace {

/// "host:port,host:port" → nodes. An IPv6 address is in brackets.
bool parse_nodes(std::string_view list, std::uint16_t default_port, std::vector<endpoint>& out) {
    for (;;) {
        const auto comma = list.find(',');
        auto one = list.substr(0, comma);
        endpoint node{{}, default_port};
        if (one.starts_with('[')) {
            const auto end = one.find(']');
            if (end == std::string_view::npos) return false;
            node.host = one.substr(1, end - 1);
            one.remove_prefix(end + 1);
        } else {
            node.host = one.substr(0, one.find(':'));
            one.remove_prefix(node.host.size());
        }
        if (node.host.empty()) return false;
        if (!one.empty() && (one.front() != ':' || !parse_number(one.substr(1), node.port) || node.port == 0))
            return false;
        out.push_back(std::move(node));
        if (comma == std::string_view::npos) return true;
        list.remove_prefix(comma + 1);
    }
}

/// The forms with several hosts: Boost.URL reads the rest once the list is out of the way.
result<address> parse_many(std::string_view scheme, std::string_view rest) {
    const auto kind = scheme.ends_with("+sentinel") ? topology::sentinel : topology::cluster;
    const auto path = rest.find_first_of("/?#");
    auto authority = rest.substr(0, path);
    std::string_view credentials;
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        credentials = authority.substr(0, at + 1);
        authority.remove_prefix(at + 1);
    }
    address a;
    a.kind = kind;
    if (!parse_nodes(authority, kind == topology::sentinel ? 26379 : 6379, a.nodes)) return errc::bad_url;

    auto plain = "redis://" + std::string{credentials} + "host";
    if (path != std::string_view::npos) plain += rest.substr(path);
    const auto parsed = boost::urls::parse_uri(plain);
    if (!parsed || parsed->has_fragment()) return errc::bad_url;
    a.tls = scheme.starts_with("rediss");
    a.user = parsed->user();
    a.password = parsed->password();
    std::vector<std::string> segments;
    for (const auto& s : parsed->segments())
        if (!std::string{s}.empty()) segments.emplace_back(s);
    if (kind == topology::sentinel) {
        if (segments.empty() || segments.size() > 2) return errc::bad_url;
        a.master = segments[0];
        if (segments.size() == 2 && !parse_number(segments[1], a.database)) return errc::bad_url;
    } else if (!segments.empty()) {
        return errc::bad_url; // a cluster has no databases
    }
    for (const auto& parameter : parsed->params()) {
        if (parameter.key == "ca" && a.tls)
            a.ca_file = parameter.value;
        else if (parameter.key == "sentinel_user" && kind == topology::sentinel)
            a.sentinel_user = parameter.value;
        else if (parameter.key == "sentinel_password" && kind == topology::sentinel)
            a.sentinel_password = parameter.value;
        else
            return errc::bad_url;
    }
    return a;
}

} // namespace

result<address> parse_url(std::string_view url) {
    const auto scheme_end = std::min(url.find("://"), url.size());
    for (const std::string_view many :
         {"redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"})
        if (url.substr(0, scheme_end) == many && scheme_end < url.size())
            return parse_many(many, url.substr(scheme_end + 3));
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
