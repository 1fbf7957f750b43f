#include "conninfo.hpp"

#include <tiktrend/base/event.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

namespace tiktrend::postgres {
namespace {

using parsed = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

parsed parse(const std::string& url) {
    char* message = nullptr;
    parsed out{PQconninfoParse(url.c_str(), &message), &PQconninfoFree};
    PQfreemem(message); // may quote the password, so nobody sees it
    return out;
}

std::string value_of(const PQconninfoOption* all, std::string_view keyword) {
    for (const auto* o = all; o && o->keyword; ++o)
        if (keyword == o->keyword) return o->val ? o->val : "";
    return {};
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> out;
    for (;;) {
        const auto comma = list.find(',');
        out.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos) return out;
        list.remove_prefix(comma + 1);
    }
}

bool is_socket_path(std::string_view host) {
    return host.starts_with('/') || host.starts_with('@');
}

/// libpq's lists of hosts, addresses and ports, one entry for each address to try.
struct targets {
    std::string hosts, addresses, ports;
    bool any = false;

    void add(std::string_view host, std::string_view address, std::string_view port) {
        const char* comma = any ? "," : "";
        hosts += fmt::format("{}{}", comma, host);
        addresses += fmt::format("{}{}", comma, address);
        ports += fmt::format("{}{}", comma, port);
        any = true;
    }
};

/// Looks a name up in Asio's resolver thread. The system's resolver cannot be interrupted, so a cancelled
/// lookup is left to end by itself and nobody waits for it.
struct lookup {
    explicit lookup(const asio::any_io_executor& executor) : resolver{executor}, ended{executor} {}
    asio::ip::tcp::resolver resolver;
    event ended;
    error_code ec;
    asio::ip::tcp::resolver::results_type results;
};

task<std::shared_ptr<lookup>> look_up(const std::string& host) {
    auto l = std::make_shared<lookup>(co_await asio::this_coro::executor);
    l->resolver.async_resolve(host, "",
                              [l](const error_code& ec, asio::ip::tcp::resolver::results_type results) {
                                  l->ec = ec;
                                  l->results = std::move(results);
                                  l->ended.set();
                              });
    co_await l->ended.wait();
    co_return l;
}

task<targets> resolve(const std::vector<std::string>& hosts, const std::vector<std::string>& ports) {
    targets out;
    std::string reason;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        const auto& host = hosts[i];
        const auto& port = ports[ports.size() == 1 ? 0 : std::min(i, ports.size() - 1)];
        if (host.empty() || is_socket_path(host)) {
            out.add(host, "", port);
            continue;
        }
        error_code ec;
        if (asio::ip::make_address(host, ec); !ec) {
            out.add(host, host, port);
            continue;
        }
        const auto found = co_await look_up(host);
        if (found->ec) reason += fmt::format(" {}: {}", host, found->ec.message());
        for (const auto& entry : found->results)
            out.add(host, entry.endpoint().address().to_string(), port);
    }
    if (!out.any) throw system_error(errc::not_connected, "cannot resolve" + reason);
    co_return out;
}

} // namespace

std::string describe(std::string_view url) {
    const auto options = parse(std::string{url});
    if (!options) return "(not a connection URL)";
    const auto get = [&](std::string_view k) { return value_of(options.get(), k); };
    const auto secret = get("password").empty() ? "" : ":***";
    const auto user = get("user");
    const auto host = get("host").empty() ? get("hostaddr") : get("host");
    const auto port = get("port");
    return fmt::format("postgresql://{}{}{}{}{}{}/{}", user, secret, user.empty() ? "" : "@", host,
                       port.empty() ? "" : ":", port, get("dbname"));
}

namespace detail {

task<conninfo> prepare_conninfo(const connection_options& options) {
    const auto url = parse(options.url);
    if (!url) throw system_error(errc::bad_url);
    const auto get = [&](std::string_view k) { return value_of(url.get(), k); };

    conninfo out{{"application_name", options.application_name},
                 {"client_encoding", "UTF8"},
                 {"gssencmode", "disable"}, // saves a round trip of negotiation nobody asked for
                 {"keepalives_idle", "30"},
                 {"keepalives_interval", "5"},
                 {"keepalives_count", "3"},
                 {"tcp_user_timeout", std::to_string(options.response_timeout.count())}};
    if (options.session_settings)
        // The last one makes the server notice within a second that we dropped the connection in
        // mid-statement.
        out.emplace_back("options",
                         fmt::format("-c statement_timeout={} -c idle_in_transaction_session_timeout={} "
                                     "-c client_connection_check_interval=1000",
                                     options.statement_timeout.count(),
                                     options.idle_transaction_timeout.count()));
    out.emplace_back("dbname", options.url);

    if (const auto hosts = get("host"); !hosts.empty() && get("hostaddr").empty()) {
        const auto where = co_await resolve(split(hosts), split(get("port")));
        out.emplace_back("host", where.hosts);
        out.emplace_back("hostaddr", where.addresses);
        out.emplace_back("port", where.ports);
    }
    co_return out;
}

} // namespace detail
} // namespace tiktrend::postgres
