#include "backoff.hpp"
#include "encode.hpp"
#include "pipeline.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/client.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <cassert>

namespace tiktrend::redis {

struct client::impl {
    impl(const asio::any_io_executor& executor, address where, client_options options)
        : line{executor, std::move(where), std::move(options)}, connected{executor}, tasks{executor} {}

    using result_handler = void(std::exception_ptr, reply);

    bool is_live() const noexcept { return live && live->accepts(); }
    error_code why_not(std::size_t commands, std::size_t bytes) const noexcept;
    std::exception_ptr refusal(error_code why) const;

    /// Awaits the reply to what `encode` appends (one command), which must live until then.
    template <class Encode>
    auto send(const Encode& encode);
    task<reply> exec_when_connected(const command& c);
    task<void> wait_for_room();

    task<void> run();
    task<void> watch();
    void lost(error_code why, std::chrono::steady_clock::time_point since);

    dialer line;
    default_random random;
    bool started = false;
    bool stopped = false;
    bool joined = true;
    std::shared_ptr<pipeline> live;
    std::vector<const script*> loaded; ///< scripts whose text went over this connection
    std::exception_ptr last_failure;   ///< why there is no connection
    std::size_t parked = 0;            ///< commands that wait for a connection
    std::uint64_t connects = 0;
    event connected; ///< never set, since a connection may be dying while it looks alive; notified
    task_group tasks;
};

namespace {

/// Ends the wait of `handler` with an error, never inside the initiation.
template <class Handler>
void fail_later(const asio::any_io_executor& executor, Handler handler, std::exception_ptr error) {
    asio::post(executor, [handler = std::move(handler), error = std::move(error)]() mutable {
        std::move(handler)(std::move(error), reply{});
    });
}

/// The replies of exec_all() on their way; shared by the completions of its commands.
template <class Handler>
struct gathering {
    gathering(Handler h, std::size_t n) : handler{std::move(h)}, replies(n), missing{n} {}

    void take(std::size_t i, std::exception_ptr e, reply r) {
        if (e && !error) error = std::move(e);
        replies[i] = std::move(r);
        if (--missing != 0) return;
        auto h = std::move(*handler);
        handler.reset();
        std::move(h)(std::move(error), std::move(replies));
    }

    std::optional<Handler> handler;
    std::vector<reply> replies;
    std::size_t missing;
    std::exception_ptr error;
};

template <class Handler>
void connect_cancellation(Handler& handler, const std::shared_ptr<pipeline>& p, std::uint64_t first,
                          std::size_t n) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (!slot.is_connected()) return;
    // The completion clears the slot, and the pipeline completes everything before it goes.
    slot.assign([raw = p.get(), first, n](asio::cancellation_type type) {
        if ((type & asio::cancellation_type::terminal) == asio::cancellation_type::none) return;
        for (std::size_t i = 0; i < n; ++i)
            raw->abandon(first + i);
    });
}

} // namespace

error_code client::impl::why_not(std::size_t commands, std::size_t bytes) const noexcept {
    if (!started || stopped) return tiktrend::errc::stopped;
    if (!is_live()) return errc::not_connected;
    const auto& o = line.options();
    if (live->waiting() + commands > o.max_waiting) return errc::too_many_waiting;
    if (live->unsent_bytes() != 0 && live->unsent_bytes() + bytes > o.max_unsent_bytes)
        return errc::too_many_waiting;
    return {};
}

std::exception_ptr client::impl::refusal(error_code why) const {
    std::string what = line.name();
    if (why == errc::not_connected && last_failure) what = message_of(last_failure);
    return std::make_exception_ptr(system_error{why, what});
}

template <class Encode>
auto client::impl::send(const Encode& encode) {
    return asio::async_initiate<const asio::use_awaitable_t<>, result_handler>(
        [](auto handler, impl* self, const Encode* words) {
            if (const auto why = self->why_not(1, words->encoded_size()))
                return fail_later(self->line.executor(), std::move(handler), self->refusal(why));
            const auto& p = self->live;
            words->append_to(p->out());
            // The handler is moved into the pipeline after its slot is known; the ticket is the next one.
            connect_cancellation(handler, p, p->next_ticket(), 1);
            p->submit(std::move(handler));
        },
        asio::use_awaitable, this, &encode);
}

task<void> client::impl::wait_for_room() {
    if (parked >= line.options().max_waiting) throw system_error{errc::too_many_waiting, line.name()};
    struct place {
        std::size_t& count;
        explicit place(std::size_t& c) noexcept : count{c} { ++count; }
        ~place() { --count; }
    };
    const place mine{parked};
    const auto deadline = std::chrono::steady_clock::now() + line.options().command_timeout;
    while (!stopped && !is_live())
        if (!co_await connected.wait_until(deadline)) break;
}

task<reply> client::impl::exec_when_connected(const command& c) {
    co_await wait_for_room();
    co_return co_await send(c);
}

void client::impl::lost(error_code why, std::chrono::steady_clock::time_point since) {
    live.reset();
    loaded.clear();
    last_failure = std::make_exception_ptr(system_error{why, line.name()});
    if (stopped) return;
    const auto lived = std::chrono::steady_clock::now() - since;
    line.options().log.warn(
        "redis_connection_lost",
        {{"server", line.name()},
         {"error", why.message()},
         {"connected_ms", std::chrono::duration_cast<std::chrono::milliseconds>(lived).count()}});
}

task<void> client::impl::run() {
    backoff delays{line.options().reconnect_min, line.options().reconnect_max};
    while (!stopped) {
        try {
            live = std::make_shared<pipeline>(co_await line.dial());
        } catch (const system_error& e) {
            if (stopped) break;
            last_failure = std::current_exception();
            line.options().log.warn("redis_connect_failed", {{"server", line.name()}, {"error", e.what()}});
        }
        if (live) {
            const auto since = std::chrono::steady_clock::now();
            ++connects;
            line.options().log.info("redis_connected", {{"server", line.name()}, {"connects", connects}});
            connected.notify_all();
            const auto p = live;
            const auto why = co_await p->run();
            lost(why, since);
            p->complete_all();
            delays.connection_ended(std::chrono::steady_clock::now() - since);
        }
        if (!stopped) co_await sleep_for(delays.next(random));
    }
}

task<void> client::impl::watch() {
    const auto limit = line.options().command_timeout;
    // When the connection on watch must be dropped; in the future if nothing is awaited.
    const auto due = [this, limit] {
        const auto idle = !live || live->waiting() == 0;
        return (idle ? std::chrono::steady_clock::now() : live->last_progress()) + limit;
    };
    while (!stopped) {
        const auto wait = due() - std::chrono::steady_clock::now();
        co_await sleep_for(std::max<std::chrono::steady_clock::duration>(wait, std::chrono::milliseconds{1}));
        if (due() > std::chrono::steady_clock::now()) continue;
        // If this process was held up (SIGSTOP, a frozen machine), the replies may be here already: let them
        // be read.
        const auto suspect = live;
        co_await sleep_for(std::chrono::milliseconds{1});
        if (live == suspect && due() <= std::chrono::steady_clock::now()) live->close(errc::timed_out);
    }
}

client::client(asio::any_io_executor executor, address where, client_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(where), std::move(options))} {}

client::~client() {
    assert(impl_->joined && "await stop() before the client goes");
}

void client::start() {
    if (impl_->started || impl_->stopped) return;
    impl_->started = true;
    impl_->joined = false;
    impl_->tasks.spawn("redis client", impl_->run());
    impl_->tasks.spawn("redis watchdog", impl_->watch());
}

task<void> client::stop() {
    if (!impl_->stopped) {
        impl_->stopped = true;
        if (impl_->live) impl_->live->close(errc::connection_lost);
        impl_->connected.notify_all();
        impl_->tasks.cancel();
    }
    co_await impl_->tasks.join();
    impl_->joined = true;
}

task<void> client::wait_connected(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!is_connected()) {
        if (!impl_->started || impl_->stopped)
            throw system_error{tiktrend::errc::stopped, impl_->line.name()};
        if (!co_await impl_->connected.wait_until(deadline))
            std::rethrow_exception(impl_->refusal(errc::not_connected));
    }
}

bool client::is_connected() const noexcept {
    return impl_->started && !impl_->stopped && impl_->is_live();
}

task<reply> client::exec(const command& c) {
    if (impl_->line.options().wait_for_connection && !is_connected()) return impl_->exec_when_connected(c);
    return impl_->send(c);
}

task<std::vector<reply>> client::exec_all(std::span<const command> commands) {
    if (commands.empty()) co_return std::vector<reply>{};
    if (impl_->line.options().wait_for_connection && !is_connected()) co_await impl_->wait_for_room();
    auto start = [](auto handler, impl* self, std::span<const command> list) {
        std::size_t bytes = 0;
        for (const auto& c : list)
            bytes += c.encoded_size();
        if (const auto why = self->why_not(list.size(), bytes)) {
            asio::post(self->line.executor(),
                       [handler = std::move(handler), error = self->refusal(why)]() mutable {
                           std::move(handler)(std::move(error), std::vector<reply>{});
                       });
            return;
        }
        const auto& p = self->live;
        connect_cancellation(handler, p, p->next_ticket(), list.size());
        const auto all = std::make_shared<gathering<decltype(handler)>>(std::move(handler), list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            list[i].append_to(p->out());
            p->submit([all, i](std::exception_ptr e, reply r) { all->take(i, std::move(e), std::move(r)); });
        }
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                            void(std::exception_ptr, std::vector<reply>)>(
        start, asio::use_awaitable, impl_.get(), commands);
}

namespace {

/// EVALSHA or EVAL with the same rest, kept for the second attempt.
struct script_call {
    const script& code;
    std::size_t words;
    std::string rest; ///< number of keys, keys, arguments
    bool with_text = false;

    std::string_view name() const noexcept { return with_text ? "EVAL" : "EVALSHA"; }
    const std::string& body() const noexcept { return with_text ? code.text() : code.sha1(); }
    std::size_t encoded_size() const noexcept { return rest.size() + body().size() + 48; }
    void append_to(std::string& out) const {
        append_header(out, '*', words);
        append_word(out, name());
        append_word(out, body());
        out += rest;
    }
};

} // namespace

task<reply> client::eval(const script& s, std::span<const std::string_view> keys,
                         std::span<const std::string_view> args) {
    script_call call{s, 3 + keys.size() + args.size(), {}};
    std::size_t size = 16;
    for (const auto w : keys)
        size += w.size() + 16;
    for (const auto w : args)
        size += w.size() + 16;
    call.rest.reserve(size);
    append_word(call.rest, decimal{keys.size()}.view());
    for (const auto w : keys)
        append_word(call.rest, w);
    for (const auto w : args)
        append_word(call.rest, w);

    if (impl_->line.options().wait_for_connection && !is_connected()) co_await impl_->wait_for_room();
    auto& loaded = impl_->loaded;
    call.with_text = std::find(loaded.begin(), loaded.end(), &s) == loaded.end();
    if (call.with_text && impl_->is_live()) loaded.push_back(&s);
    auto r = co_await impl_->send(call);
    if (!call.with_text && r.is_error() && r.text().starts_with("NOSCRIPT")) {
        call.with_text = true;
        r = co_await impl_->send(call);
    }
    co_return r;
}

const address& client::where() const noexcept {
    return impl_->line.where();
}
std::uint64_t client::connects() const noexcept {
    return impl_->connects;
}
asio::any_io_executor client::get_executor() const noexcept {
    return impl_->line.executor();
}

} // namespace tiktrend::redis
