#include "backoff.hpp"
#include "connection.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/subscriber.hpp>

#include <cassert>
#include <stdexcept>

namespace tiktrend::redis {
namespace {
/// RESP2 delivers invalidations here (redis.io/docs/manual/client-side-caching, "Two connections mode"; both
/// are this one).
constexpr std::string_view invalidation_channel = "__redis__:invalidate";
} // namespace

struct subscriber::impl {
    impl(const asio::any_io_executor& executor, address where, handlers h, client_options options)
        : line{executor, std::move(where), std::move(options)}, on{std::move(h)}, tasks{executor} {}

    task<void> run();
    task<void> watch();
    task<void> subscribe_all(connection& c);
    void take(const reply& r);
    void take_invalidation(reply::view keys);

    dialer line;
    handlers on;
    default_random random;
    std::vector<std::string> channels;
    std::vector<std::string> prefixes;
    std::shared_ptr<connection> live;
    std::uint64_t heard = 0; ///< messages and answers
    bool started = false;
    bool stopped = false;
    bool joined = true;
    task_group tasks;
};

task<void> subscriber::impl::subscribe_all(connection& c) {
    if (!prefixes.empty()) {
        const auto id = co_await c.request(command{"CLIENT", "ID"});
        command tracking{"CLIENT", "TRACKING", "ON", "REDIRECT", id.integer(), "BCAST"};
        for (const auto& p : prefixes)
            tracking.arg("PREFIX").arg(p);
        const auto r = co_await c.request(tracking);
        if (r.is_error()) throw server_error{errc::protocol_error, line.name(), std::string{r.text()}};
    }
    command subscribe{"SUBSCRIBE"};
    std::size_t expected = 0;
    if (!prefixes.empty()) {
        subscribe.arg(invalidation_channel);
        ++expected;
    }
    for (const auto& ch : channels) {
        subscribe.arg(ch);
        ++expected;
    }
    if (expected == 0) co_return;
    co_await c.send(subscribe.encoded());
    while (expected != 0) {
        const auto r = co_await c.read_reply();
        throw_if_unavailable(r, line.name());
        if (r.is_error()) throw server_error{errc::protocol_error, line.name(), std::string{r.text()}};
        // Messages of the first channels may come between the confirmations of the others.
        if (r[0].text() == "subscribe")
            --expected;
        else
            take(r);
    }
}

void subscriber::impl::take(const reply& r) {
    if (r[0].text() != "message" || r.size() != 3) return;
    const auto channel = r[1].text();
    if (channel == invalidation_channel && !prefixes.empty())
        take_invalidation(r[2]);
    else if (on.on_message)
        on.on_message(channel, r[2].text());
}

void subscriber::impl::take_invalidation(reply::view keys) {
    if (keys.is_nil()) { // FLUSHALL, FLUSHDB
        if (on.on_flush) on.on_flush();
        return;
    }
    if (!on.on_invalidate) return;
    for (std::size_t i = 0; i < keys.size(); ++i)
        on.on_invalidate(keys[i].text());
}

task<void> subscriber::impl::run() {
    backoff delays{line.options().reconnect_min, line.options().reconnect_max};
    while (!stopped) {
        std::shared_ptr<connection> c;
        bool announced = false;
        const auto since = std::chrono::steady_clock::now();
        try {
            c = co_await line.dial();
            co_await within(line.options().connect_timeout, subscribe_all(*c));
            live = c;
            announced = true;
            line.options().log.info("redis_subscribed", {{"server", line.name()}});
            if (on.on_connected) on.on_connected();
            while (!stopped) {
                take(co_await c->read_reply());
                ++heard;
            }
        } catch (const system_error& e) {
            if (!stopped)
                line.options().log.warn("redis_subscriber_disconnected",
                                        {{"server", line.name()}, {"error", e.what()}});
        }
        live.reset();
        if (c) c->close();
        if (announced && on.on_flush) on.on_flush();
        delays.connection_ended(std::chrono::steady_clock::now() - since);
        if (!stopped) co_await sleep_for(delays.next(random));
    }
}

task<void> subscriber::impl::watch() {
    // A subscribed connection is silent for hours when all is well, so it is asked now and then. Two
    // questions without an answer and it is dropped; one is not enough, since this process itself may have
    // been held up.
    const auto interval = std::max<std::chrono::steady_clock::duration>(line.options().command_timeout / 2,
                                                                        std::chrono::milliseconds{1});
    const auto ping = command{"PING"}.encoded();
    std::uint64_t heard_before = 0;
    int unanswered = 0;
    const connection* asked = nullptr;
    while (!stopped) {
        co_await sleep_for(interval);
        const auto c = live;
        if (heard != heard_before || c.get() != asked) unanswered = 0;
        heard_before = heard;
        asked = c.get();
        if (!c) continue;
        try {
            if (unanswered++ >= 2)
                c->close();
            else
                co_await within(interval, c->send(ping));
        } catch (const system_error&) {
            c->close(); // run() sees it, says so and connects again
        }
    }
}

subscriber::subscriber(asio::any_io_executor executor, address where, handlers h, client_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(where), std::move(h), std::move(options))} {
}

subscriber::~subscriber() {
    assert(impl_->joined && "await stop() before the subscriber goes");
}

void subscriber::subscribe(std::string channel) {
    impl_->channels.push_back(std::move(channel));
}
void subscriber::track(std::string prefix) {
    if (impl_->line.where().kind == topology::cluster)
        throw std::logic_error("keys of a cluster cannot be tracked: " + impl_->line.name());
    impl_->prefixes.push_back(std::move(prefix));
}

void subscriber::start() {
    if (impl_->started || impl_->stopped) return;
    impl_->started = true;
    impl_->joined = false;
    impl_->tasks.spawn("redis subscriber", impl_->run());
    impl_->tasks.spawn("redis subscriber watchdog", impl_->watch());
}

task<void> subscriber::stop() {
    if (!impl_->stopped) {
        impl_->stopped = true;
        if (impl_->live) impl_->live->close();
        impl_->tasks.cancel();
    }
    co_await impl_->tasks.join();
    impl_->joined = true;
}

bool subscriber::is_connected() const noexcept {
    return impl_->live != nullptr && !impl_->stopped;
}

} // namespace tiktrend::redis
