#include "backoff.hpp"
#include "connection.hpp"
#include "slot.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/blocking_connection.hpp>

namespace tiktrend::redis {

struct blocking_connection::impl {
    impl(const asio::any_io_executor& executor, address where, client_options options)
        : line{executor, std::move(where), std::move(options)}, closed{executor},
          delays{line.options().reconnect_min, line.options().reconnect_max} {}

    /// Waits out the back-off of an earlier failure, so that a caller may simply try again.
    task<void> connect();
    /// It failed: the next one waits out a back-off.
    void drop() noexcept;
    /// It is not wanted any more, which is no fault of the server.
    void close() noexcept;

    bool is_cluster() const noexcept { return line.where().kind == topology::cluster; }

    dialer line;
    std::uint16_t slot = 0; ///< cluster: the connection is to the node that owned it
    event closed;           ///< notified by close() and drop()
    backoff delays;
    default_random random;
    std::shared_ptr<connection>
        live; ///< shared with the exec() that runs, since close() may come in the middle
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now(); ///< connected, or trying
    std::chrono::steady_clock::time_point not_before;
    std::uint64_t closes = 0;
    std::shared_ptr<connection> with_two; ///< exec_with() waits for its replies

    task<void> connect_for(const command& c);
    template <class Work>
    auto guarded(std::shared_ptr<connection> used, Work work) -> decltype(work);
};

/// Connected, in a cluster to the node that owns the command's first key.
task<void> blocking_connection::impl::connect_for(const command& c) {
    if (is_cluster()) {
        const auto key = first_key(c);
        const auto its = key ? slot_of_key(*key) : std::uint16_t{0};
        if (live && slot != its) close(); // another queue's keys, maybe another node
        slot = its;
        line.set_slot(its);
    }
    if (!live) co_await connect();
}

/// Awaits `work`, which uses `used`. What it throws closes the connection and is told in exec()'s words.
template <class Work>
auto blocking_connection::impl::guarded(std::shared_ptr<connection> used, Work work) -> decltype(work) {
    try {
        co_return co_await std::move(work);
    } catch (const server_error& e) {
        if (e.code() == errc::not_ready && live == used) drop();
        throw;
    } catch (const system_error& e) {
        const bool closed_by_hand = live != used;
        if (!closed_by_hand) drop();
        if (e.code() == tiktrend::errc::timed_out) throw system_error{errc::timed_out, line.name()};
        if (e.code() == errc::protocol_error || e.code() == errc::not_connected ||
            (is_cancelled(e.code()) && !closed_by_hand))
            throw;
        throw system_error{errc::connection_lost, line.name()};
    }
}

task<void> blocking_connection::impl::connect() {
    const auto closes_before = closes;
    while (closes == closes_before && not_before > std::chrono::steady_clock::now())
        co_await closed.wait_until(not_before);
    if (closes != closes_before) throw system_error{errc::connection_lost, line.name()};
    live = line.make();
    since = std::chrono::steady_clock::now();
    const auto mine = live;
    try {
        co_await line.open(*mine);
    } catch (const system_error& e) {
        if (closes != closes_before) throw system_error{errc::connection_lost, line.name()};
        drop();
        if (is_cancelled(e.code())) throw;
        line.options().log.warn("redis_connect_failed", {{"server", line.name()}, {"error", e.what()}});
        if (dynamic_cast<const server_error*>(&e) != nullptr) throw;
        throw system_error{errc::not_connected, e.what()};
    }
    if (closes != closes_before) throw system_error{errc::connection_lost, line.name()};
}

void blocking_connection::impl::close() noexcept {
    ++closes;
    closed.notify_all();
    if (!live) return;
    live->close();
    live.reset();
}

void blocking_connection::impl::drop() noexcept {
    const bool was_live = live != nullptr;
    close();
    if (!was_live) return;
    const auto now = std::chrono::steady_clock::now();
    delays.connection_ended(now - since);
    not_before = now + delays.next(random);
}

blocking_connection::blocking_connection(asio::any_io_executor executor, address where,
                                         client_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(where), std::move(options))} {}

blocking_connection::~blocking_connection() = default;

namespace {

task<reply> answer(std::shared_ptr<connection> used, const command& c, std::chrono::milliseconds limit,
                   bool is_cluster) {
    auto r = co_await within(limit, used->request(c));
    if (is_cluster && r.is_error() && (redirection_in(r.text()) || r.text().starts_with("TRYAGAIN")))
        throw server_error{errc::not_ready, used->where(),
                           std::string{r.text()}}; // the slot moves, or has moved
    co_return r;
}

} // namespace

task<reply> blocking_connection::exec(const command& c, std::chrono::milliseconds block,
                                      std::chrono::milliseconds grace) {
    co_await impl_->connect_for(c);
    co_return co_await impl_->guarded(impl_->live,
                                      answer(impl_->live, c, block + grace, impl_->is_cluster()));
}

task<std::pair<reply, reply>> blocking_connection::exec_with(const command& c, const command& behind,
                                                             std::chrono::milliseconds block,
                                                             std::chrono::milliseconds grace) {
    co_await impl_->connect_for(c);
    const auto used = impl_->live;
    impl_->with_two = used;
    std::pair<reply, reply> both;
    try {
        both = co_await impl_->guarded(used, within(block + grace, used->request_both(c, behind)));
    } catch (...) {
        impl_->with_two.reset();
        throw;
    }
    impl_->with_two.reset();
    // The next call finds a server that is ready, or the node that owns the keys now.
    const bool must_go = both.first.is_error() && (classify(both.first.text()) == errc::not_ready ||
                                                   redirection_in(both.first.text()));
    if (must_go && impl_->live == used) impl_->drop();
    co_return both;
}

void blocking_connection::finish() noexcept {
    if (impl_->with_two && impl_->with_two == impl_->live)
        impl_->live->finish_sending();
    else
        impl_->close();
}

void blocking_connection::close() noexcept {
    impl_->close();
}

} // namespace tiktrend::redis
