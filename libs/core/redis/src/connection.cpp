#include "connection.hpp"

#include "topology.hpp"

#include <tiktrend/base/timeout.hpp>

#include <algorithm>

namespace tiktrend::redis {

task<void> connection::receive() {
    const auto n = co_await stream_.read_some(asio::buffer(buffer_), asio::use_awaitable);
    reader_.feed({buffer_.data(), n});
}

bool connection::next(reply& out) {
    error_code ec;
    const bool got = reader_.next(out, ec);
    if (ec) throw system_error{ec, where_ + ": " + reader_.message()};
    return got;
}

task<void> connection::send(const std::string& bytes) {
    co_await stream_.write(asio::buffer(bytes), asio::use_awaitable);
}

task<reply> connection::read_reply() {
    reply r;
    while (!next(r))
        co_await receive();
    co_return r;
}

task<reply> connection::request(const command& c) {
    co_await send(c.encoded());
    auto r = co_await read_reply();
    throw_if_unavailable(r, where_);
    co_return r;
}

task<std::pair<reply, reply>> connection::request_both(const command& first, const command& second) {
    auto bytes = first.encoded();
    second.append_to(bytes);
    co_await send(bytes);
    bool has_first = false;
    try {
        auto a = co_await read_reply();
        has_first = true;
        auto b = co_await read_reply();
        co_return std::pair{std::move(a), std::move(b)};
    } catch (const system_error& e) {
        // A server runs nothing more of a client whose end it has seen, and what it has run is answered
        // before.
        if (e.code() == asio::error::eof && is_finishing_ && !has_first && !reader_.has_part())
            throw system_error{errc::not_connected, where_};
        throw;
    }
}

void connection::finish_sending() noexcept {
    is_finishing_ = true;
    stream_.finish_sending();
}

void throw_if_unavailable(const reply& r, const std::string& where) {
    if (!r.is_error()) return;
    if (const auto code = classify(r.text())) throw server_error{code, where, std::string{r.text()}};
}

dialer::dialer(asio::any_io_executor executor, address where, client_options options)
    : executor_{std::move(executor)}, where_{std::move(where)}, options_{std::move(options)},
      name_{where_.to_string()} {}

std::unique_ptr<connection> dialer::make() const {
    return std::make_unique<connection>(executor_, name_, options_.max_reply_bytes);
}

task<std::unique_ptr<connection>> dialer::dial() {
    auto c = make();
    co_await open(*c);
    co_return c;
}

task<void> dialer::open(connection& c) {
    if (where_.tls && !tls_) tls_ = make_tls_context(where_);
    try {
        co_await within(options_.connect_timeout, connect(c));
    } catch (const server_error&) {
        throw;
    } catch (const system_error& e) {
        if (e.code() == tiktrend::errc::timed_out) throw system_error{errc::timed_out, name_ + ": connect"};
        // Without the place in Boost's sources, which would stand in every log line.
        const error_code bare{e.code().value(), e.code().category()};
        throw system_error{bare, where_.kind == topology::standalone ? name_ : e.what()};
    }
}

task<void> dialer::connect(connection& c) {
    if (where_.kind == topology::standalone) {
        co_await c.transport().connect(where_, tls_);
    } else {
        const auto node = at_node(where_, co_await find_node());
        c.set_where(name_ + " (" + node.host + ":" + std::to_string(node.port) + ")");
        co_await c.transport().connect(node, tls_);
    }
    co_await shake_hands(c);
}

task<endpoint> dialer::find_node() {
    if (where_.kind == topology::sentinel)
        co_return co_await find_master(executor_, where_, tls_, first_node_);
    // Another one first the next time, in case these take all the time there is without an answer.
    const auto turn = static_cast<std::ptrdiff_t>(first_node_++ % where_.nodes.size());
    auto nodes = where_.nodes;
    std::rotate(nodes.begin(), nodes.begin() + turn, nodes.end());
    const auto slots = co_await read_slots(executor_, where_, tls_, nodes);
    --first_node_;
    if (slots.empty()) throw system_error{errc::not_ready, name_ + ": the cluster has no slots"};
    for (const auto& range : slots)
        if (!slot_ || (range.first <= *slot_ && *slot_ <= range.last)) co_return range.owner;
    throw system_error{errc::not_ready, name_ + ": nobody owns slot " + std::to_string(*slot_)};
}

task<void> dialer::shake_hands(connection& c) {
    struct step {
        command words;
        bool needed;
    };
    std::vector<step> steps;
    if (!where_.password.empty()) {
        command auth{"AUTH"};
        if (!where_.user.empty()) auth.arg(where_.user);
        auth.arg(where_.password);
        steps.push_back({std::move(auth), true});
    }
    if (where_.database != 0) steps.push_back({command{"SELECT", where_.database}, true});
    // A name and the eviction flag are conveniences that an ACL or an older server may refuse.
    if (!options_.client_name.empty())
        steps.push_back({command{"CLIENT", "SETNAME", options_.client_name}, false});
    if (options_.no_evict) steps.push_back({command{"CLIENT", "NO-EVICT", "ON"}, false});
    // Sentinels may name a server that has just stopped being the master.
    if (where_.kind == topology::sentinel) steps.push_back({command{"ROLE"}, false});
    // Says LOADING, MASTERDOWN or NOAUTH before anybody relies on the connection.
    steps.push_back({command{"PING"}, true});

    std::string bytes;
    for (const auto& s : steps)
        s.words.append_to(bytes);
    co_await c.send(bytes);
    for (const auto& s : steps) {
        const auto r = co_await c.read_reply();
        if (s.words.name() == "ROLE" && !r.is_error() && r[0].text() != "master")
            throw system_error{errc::not_ready,
                               c.where() + ": is no master but a " + std::string{r[0].text()}};
        if (!r.is_error()) continue;
        if (!s.needed) {
            options_.log.warn("redis_handshake_step_refused",
                              {{"server", name_}, {"command", s.words.name()}, {"error", r.text()}});
            continue;
        }
        auto code = classify(r.text());
        if (s.words.name() == "AUTH") code = errc::access_denied;
        throw server_error{code ? code : make_error_code(errc::protocol_error), name_, std::string{r.text()}};
    }
}

} // namespace tiktrend::redis
