#pragma once
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::testing {

/// A server that answers byte for byte what the test says, so that it can misbehave in every way. Belongs to
/// the test's executor.
class raw_server {
public:
    using socket = asio::ip::tcp::socket;
    /// Writes the answer itself; true keeps the connection open for the next request.
    using behaviour = std::function<task<bool>(socket&, const std::string& request_head)>;

    explicit raw_server(asio::any_io_executor executor)
        : acceptor_{executor, asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), 0}},
          group_{executor, [](auto, auto) {}} {
        group_.spawn("accept", accept());
    }

    unsigned short port() const { return acceptor_.local_endpoint().port(); }
    std::string url(std::string_view path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port()) + std::string{path};
    }

    /// The exact bytes for a path; the connection stays open after them.
    void answer(std::string path, std::string bytes, bool keep = true) {
        fixed_[std::move(path)] = {std::move(bytes), keep};
    }
    void behave(std::string path, behaviour b) { behaviours_[std::move(path)] = std::move(b); }

    static std::string ok(std::string_view body, std::string_view extra_headers = {}) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
               std::string{extra_headers} + "\r\n" + std::string{body};
    }
    static std::string redirect(std::string_view to, int status = 302) {
        return "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + std::string{to} +
               "\r\nContent-Length: 0\r\n\r\n";
    }

    task<void> stop() {
        acceptor_.close();
        group_.cancel();
        co_await group_.join();
    }

    std::vector<std::string> requests; ///< heads, in order of arrival
    int connections = 0;               ///< accepted
    int open = 0;
    int most_open = 0;

private:
    struct fixed_answer {
        std::string bytes;
        bool keep;
    };

    task<void> accept() {
        for (;;) {
            auto s = co_await acceptor_.async_accept(asio::use_awaitable);
            ++connections;
            group_.spawn("connection", serve(std::move(s)));
        }
    }

    task<void> serve(socket s) {
        struct opened {
            raw_server& server;
            explicit opened(raw_server& r) : server{r} {
                server.most_open = std::max(server.most_open, ++server.open);
            }
            ~opened() { --server.open; }
        };
        const opened mark{*this};
        std::string buffer;
        for (bool keep = true; keep;) {
            const auto n = co_await asio::async_read_until(s, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                                           asio::use_awaitable);
            const std::string head = buffer.substr(0, n);
            buffer.erase(0, n);
            requests.push_back(head);
            const auto from = head.find(' ') + 1;
            const auto path = head.substr(from, head.find_first_of(" ?", from) - from);
            if (const auto b = behaviours_.find(path); b != behaviours_.end()) {
                keep = co_await b->second(s, head);
            } else if (const auto f = fixed_.find(path); f != fixed_.end()) {
                const auto answer = f->second;
                co_await asio::async_write(s, asio::buffer(answer.bytes), asio::use_awaitable);
                keep = answer.keep;
            } else {
                co_await asio::async_write(
                    s, asio::buffer(std::string{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}),
                    asio::use_awaitable);
            }
        }
    }

    asio::ip::tcp::acceptor acceptor_;
    std::map<std::string, fixed_answer> fixed_;
    std::map<std::string, behaviour> behaviours_;
    task_group group_;
};

/// Client options that open loopback and nothing else.
inline fetch::client_options loopback_options() {
    fetch::client_options o;
    fetch::address_guard::rules rules;
    rules.allow.push_back(*fetch::parse_allow_entry("127.0.0.1:*"));
    o.guard = fetch::address_guard{rules};
    return o;
}

inline std::string verdict(const fetch::outcome& o) {
    return o ? std::to_string(o->status) : std::string{fetch::to_string(o.error().kind)};
}

/// One server and one client on one loop; `body` gets both, and both are stopped after it.
using scenario = task<void> (*)(raw_server&, fetch::client&);
inline task<void> run_scenario(fetch::client_options options, scenario body) {
    const auto ex = co_await asio::this_coro::executor;
    raw_server server{ex};
    fetch::client client{ex, std::move(options)};
    std::exception_ptr error;
    try {
        co_await body(server, client);
    } catch (...) {
        error = std::current_exception();
    }
    co_await client.stop();
    co_await server.stop();
    if (error) std::rethrow_exception(error);
}
inline void with_server(scenario body, fetch::client_options options = loopback_options()) {
    run_coroutine(run_scenario(std::move(options), body), std::chrono::seconds{60});
}

inline task<fetch::outcome> get(fetch::client& client, std::string url) {
    const fetch::request r{std::move(url)};
    co_return co_await client.fetch(r);
}

} // namespace tiktrend::testing
