#include "lane.hpp"

#include "encode.hpp"

#include <tiktrend/base/timeout.hpp>

#include <algorithm>
#include <cassert>

namespace tiktrend::redis {
namespace {

/// Ends the wait of `handler` with an error, never inside the initiation.
template <class Handler>
void fail_later(const asio::any_io_executor& executor, Handler handler, std::exception_ptr error) {
    asio::post(executor, [handler = std::move(handler), error = std::move(error)]() mutable {
        std::move(handler)(std::move(error), reply{});
    });
}

bool may_have_run(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const system_error& x) {
        return !is_certainly_not_executed(x.code());
    } catch (...) {
        return true;
    }
}

/// `error` says of one command that it did not run, which nobody may take for all.
std::exception_ptr but_others_ran(const std::exception_ptr& error) {
    return std::make_exception_ptr(
        system_error{errc::connection_lost, "after others had run: " + message_of(error)});
}

/// The replies of exec_all() on their way; shared by the completions of its commands.
template <class Handler>
struct gathering {
    gathering(Handler h, std::size_t n, bool transaction)
        : handler{std::move(h)}, replies(n), missing{n}, is_transaction{transaction} {}

    void take(std::size_t i, std::exception_ptr e, reply r) {
        // What a transaction has queued runs with its last command, EXEC, if that is no error.
        if (e)
            has_run = has_run || may_have_run(e);
        else if (!is_transaction)
            has_run = true;
        else if (i + 1 == replies.size())
            has_run = has_run || !r.is_error();
        if (e && !error) error = std::move(e);
        replies[i] = std::move(r);
        if (--missing != 0) return;
        if (error && has_run && !may_have_run(error)) error = but_others_ran(error);
        auto h = std::move(*handler);
        handler.reset();
        std::move(h)(std::move(error), std::move(replies));
    }

    std::optional<Handler> handler;
    std::vector<reply> replies;
    std::size_t missing;
    bool is_transaction;
    bool has_run = false; ///< something of it, or that cannot be told
    std::exception_ptr error;
};

template <class Handler>
void connect_cancellation(Handler& handler, const std::shared_ptr<pipeline>& p, std::uint64_t first,
                          std::size_t n) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (!slot.is_connected()) return;
    // The completion clears the slot. One that was abandoned does so later, perhaps after the pipeline.
    slot.assign([weak = std::weak_ptr{p}, first, n](asio::cancellation_type type) {
        if ((type & asio::cancellation_type::terminal) == asio::cancellation_type::none) return;
        if (const auto alive = weak.lock())
            for (std::size_t i = 0; i < n; ++i)
                alive->abandon(first + i);
    });
}

} // namespace

error_code lane::why_not(std::size_t commands, std::size_t bytes) const noexcept {
    if (!started_ || stopped_) return tiktrend::errc::stopped;
    if (!is_live()) return errc::not_connected;
    const auto& o = line_.options();
    if (live_->waiting() + commands > o.max_waiting) return errc::too_many_waiting;
    if (live_->unsent_bytes() != 0 && live_->unsent_bytes() + bytes > o.max_unsent_bytes)
        return errc::too_many_waiting;
    return {};
}

std::exception_ptr lane::refusal(error_code why) const {
    std::string what = line_.name();
    if (why == errc::not_connected && last_failure_) what = message_of(last_failure_);
    return std::make_exception_ptr(system_error{why, what});
}

template <class Encode>
auto lane::send(const Encode& encode) {
    return asio::async_initiate<const asio::use_awaitable_t<>, result_handler>(
        [](auto handler, lane* self, const Encode* words) {
            if (const auto why = self->why_not(1, words->encoded_size()))
                return fail_later(self->line_.executor(), std::move(handler), self->refusal(why));
            const auto& p = self->live_;
            words->append_to(p->out());
            // The handler is moved into the pipeline after its slot is known; the ticket is the next one.
            connect_cancellation(handler, p, p->next_ticket(), 1);
            p->submit(std::move(handler));
        },
        asio::use_awaitable, this, &encode);
}

task<void> lane::wait_for_room() {
    if (parked_ >= line_.options().max_waiting) throw system_error{errc::too_many_waiting, line_.name()};
    struct place {
        std::size_t& count;
        explicit place(std::size_t& c) noexcept : count{c} { ++count; }
        ~place() { --count; }
    };
    const place mine{parked_};
    const auto deadline = std::chrono::steady_clock::now() + line_.options().command_timeout;
    while (!stopped_ && !is_live())
        if (!co_await connected_.wait_until(deadline)) break;
}

task<reply> lane::exec_when_connected(const command& c) {
    co_await wait_for_room();
    co_return co_await send(c);
}

void lane::lost(error_code why, std::chrono::steady_clock::time_point since) {
    live_.reset();
    loaded_.clear();
    last_failure_ = std::make_exception_ptr(system_error{why, line_.name()});
    if (stopped_) return;
    const auto lived = std::chrono::steady_clock::now() - since;
    line_.options().log.warn(
        "redis_connection_lost",
        {{"server", line_.name()},
         {"error", why.message()},
         {"connected_ms", std::chrono::duration_cast<std::chrono::milliseconds>(lived).count()}});
}

task<void> lane::run() {
    backoff delays{line_.options().reconnect_min, line_.options().reconnect_max};
    while (!stopped_) {
        try {
            live_ = std::make_shared<pipeline>(co_await line_.dial());
        } catch (const system_error& e) {
            if (stopped_) break;
            last_failure_ = std::current_exception();
            line_.options().log.warn("redis_connect_failed", {{"server", line_.name()}, {"error", e.what()}});
        }
        if (live_) {
            const auto since = std::chrono::steady_clock::now();
            ++connects_;
            line_.options().log.info("redis_connected", {{"server", line_.name()}, {"connects", connects_}});
            connected_.notify_all();
            const auto p = live_;
            const auto why = co_await p->run();
            lost(why, since);
            p->complete_all();
            delays.connection_ended(std::chrono::steady_clock::now() - since);
        }
        if (!stopped_) co_await sleep_for(delays.next(random_));
    }
}

task<void> lane::watch() {
    const auto limit = line_.options().command_timeout;
    // When the connection on watch must be dropped; in the future if nothing is awaited.
    const auto due = [this, limit] {
        const auto idle = !live_ || live_->waiting() == 0;
        return (idle ? std::chrono::steady_clock::now() : live_->last_progress()) + limit;
    };
    while (!stopped_) {
        const auto wait = due() - std::chrono::steady_clock::now();
        co_await sleep_for(std::max<std::chrono::steady_clock::duration>(wait, std::chrono::milliseconds{1}));
        if (due() > std::chrono::steady_clock::now()) continue;
        // If this process was held up (SIGSTOP, a frozen machine), the replies may be here already: let them
        // be read.
        const auto suspect = live_;
        co_await sleep_for(std::chrono::milliseconds{1});
        if (live_ == suspect && due() <= std::chrono::steady_clock::now()) live_->close(errc::timed_out);
    }
}

lane::~lane() {
    assert(joined_ && "await stop() before the client goes");
}

void lane::start() {
    if (started_ || stopped_) return;
    started_ = true;
    joined_ = false;
    tasks_.spawn("redis client", run());
    tasks_.spawn("redis watchdog", watch());
}

task<void> lane::stop() {
    if (!stopped_) {
        stopped_ = true;
        if (live_) live_->close(errc::connection_lost);
        connected_.notify_all();
        tasks_.cancel();
    }
    co_await tasks_.join();
    joined_ = true;
}

task<void> lane::wait_connected(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!is_connected()) {
        if (!started_ || stopped_) throw system_error{tiktrend::errc::stopped, line_.name()};
        if (!co_await connected_.wait_until(deadline)) std::rethrow_exception(refusal(errc::not_connected));
    }
}

task<reply> lane::exec(const command& c) {
    if (line_.options().wait_for_connection && !is_connected()) return exec_when_connected(c);
    return send(c);
}

task<std::vector<reply>> lane::exec_all(std::span<const command> commands) {
    if (commands.empty()) co_return std::vector<reply>{};
    if (line_.options().wait_for_connection && !is_connected()) co_await wait_for_room();
    auto start = [](auto handler, lane* self, std::span<const command> list) {
        std::size_t bytes = 0;
        for (const auto& c : list)
            bytes += c.encoded_size();
        if (const auto why = self->why_not(list.size(), bytes)) {
            asio::post(self->line_.executor(),
                       [handler = std::move(handler), error = self->refusal(why)]() mutable {
                           std::move(handler)(std::move(error), std::vector<reply>{});
                       });
            return;
        }
        const auto& p = self->live_;
        connect_cancellation(handler, p, p->next_ticket(), list.size());
        const auto all = std::make_shared<gathering<decltype(handler)>>(std::move(handler), list.size(),
                                                                        list.front().name() == "MULTI");
        for (std::size_t i = 0; i < list.size(); ++i) {
            list[i].append_to(p->out());
            p->submit([all, i](std::exception_ptr e, reply r) { all->take(i, std::move(e), std::move(r)); });
        }
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                            void(std::exception_ptr, std::vector<reply>)>(
        start, asio::use_awaitable, this, commands);
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

task<reply> lane::eval(const script& s, std::span<const std::string_view> keys,
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

    if (line_.options().wait_for_connection && !is_connected()) co_await wait_for_room();
    call.with_text = std::find(loaded_.begin(), loaded_.end(), &s) == loaded_.end();
    if (call.with_text && is_live()) loaded_.push_back(&s);
    auto r = co_await send(call);
    if (!call.with_text && r.is_error() && r.text().starts_with("NOSCRIPT")) {
        call.with_text = true;
        r = co_await send(call);
    }
    co_return r;
}

} // namespace tiktrend::redis
