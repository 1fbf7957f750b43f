#include "topology.hpp"

#include "connection.hpp"

#include <tiktrend/base/timeout.hpp>

#include <algorithm>

namespace tiktrend::redis {
namespace {

constexpr std::chrono::milliseconds patience{500};
constexpr std::size_t max_reply_bytes = 4U << 20; // the slots of the largest cluster

task<reply> ask_now(connection& c, const address& node, const std::shared_ptr<asio::ssl::context>& tls,
                    const command& question) {
    co_await c.transport().connect(node, tls);
    if (!node.password.empty()) {
        command auth{"AUTH"};
        if (!node.user.empty()) auth.arg(node.user);
        auth.arg(node.password);
        const auto r = co_await c.request(auth);
        if (r.is_error()) throw server_error{errc::access_denied, c.where(), std::string{r.text()}};
    }
    co_return co_await c.request(question);
}

task<reply> ask(const asio::any_io_executor& executor, const address& node,
                const std::shared_ptr<asio::ssl::context>& tls, const command& question) {
    connection c{executor, node.to_string(), max_reply_bytes};
    co_return co_await within(patience, ask_now(c, node, tls, question));
}

/// Collects why nobody answered.
class causes {
public:
    void add(const endpoint& node, std::string_view why) {
        text_.append(text_.empty() ? "" : "; ").append(node.to_string()).append(": ").append(why);
    }
    [[noreturn]] void raise(const address& where) const {
        throw system_error{errc::not_connected, where.to_string() + ": " + text_};
    }

private:
    std::string text_;
};

} // namespace

task<endpoint> find_master(asio::any_io_executor executor, const address& where,
                           std::shared_ptr<asio::ssl::context> tls, std::size_t& first) {
    causes why;
    const command question{"SENTINEL", "get-master-addr-by-name", where.master};
    const auto count = where.nodes.size();
    for (std::size_t n = 0; n < count; ++n) {
        const auto& sentinel = where.nodes[first % count];
        auto node = at_node(where, sentinel);
        node.user = where.sentinel_user;
        node.password = where.sentinel_password;
        try {
            const auto r = co_await ask(executor, node, tls, question);
            if (r.is_error())
                why.add(sentinel, r.text());
            else if (r.size() != 2)
                why.add(sentinel, "does not know the master " + where.master);
            else
                co_return endpoint{std::string{r[0].text()}, static_cast<std::uint16_t>(r[1].integer())};
        } catch (const system_error& e) {
            first = (first + 1) % count;
            if (is_cancelled(e.code())) throw;
            why.add(sentinel, e.what());
            continue;
        }
        first = (first + 1) % count;
    }
    why.raise(where);
}

task<std::vector<slot_range>> read_slots(asio::any_io_executor executor, const address& where,
                                         std::shared_ptr<asio::ssl::context> tls,
                                         std::span<const endpoint> nodes) {
    causes why;
    const command question{"CLUSTER", "SLOTS"};
    const std::vector<endpoint> candidates{nodes.begin(), nodes.end()};
    for (const auto& candidate : candidates) {
        try {
            const auto r = co_await ask(executor, at_node(where, candidate), tls, question);
            if (r.is_error() || r.size() == 0) {
                why.add(candidate, r.is_error() ? r.text() : "knows no slots");
                continue;
            }
            std::vector<slot_range> out;
            for (std::size_t i = 0; i < r.size(); ++i) {
                const auto range = r[i];
                const auto owner = range[2];
                // An empty host means the one that was asked.
                out.push_back({static_cast<std::uint16_t>(range[0].integer()),
                               static_cast<std::uint16_t>(range[1].integer()),
                               {owner[0].text().empty() ? candidate.host : std::string{owner[0].text()},
                                static_cast<std::uint16_t>(owner[1].integer())}});
            }
            co_return out;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            why.add(candidate, e.what());
        }
    }
    why.raise(where);
}

} // namespace tiktrend::redis
