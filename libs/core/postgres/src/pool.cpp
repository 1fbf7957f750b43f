#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/postgres/pool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <deque>
#include <list>
#include <vector>

namespace tiktrend::postgres {

using clock = std::chrono::steady_clock;

/// A connection and what the pool remembers about it.
struct pool_slot {
    pool_slot(const asio::any_io_executor& executor, const connection_options& o) : link{executor, o} {}
    connection link;
    steady_time last_used{};
    steady_time expires{};
    std::uint64_t generation = 0;
    std::list<pool_slot>::iterator self;
};

struct pool_state : std::enable_shared_from_this<pool_state> {
    struct waiter {
        explicit waiter(const asio::any_io_executor& e) : woken{e} {}
        event woken;
        pool_slot* given = nullptr;
        bool refused = false; ///< the pool stops
    };

    pool_state(asio::any_io_executor e, pool_options o)
        : executor{e}, options{std::move(o)}, description{describe(options.connection.url)}, work{e},
          returned{e}, group{e} {}

    bool may_reuse(const pool_slot& s, steady_time now) const noexcept {
        return s.generation == generation && now < s.expires && s.link.is_idle();
    }

    /// Connections that exist or are being made.
    std::size_t total() const noexcept { return slots.size() + connecting; }

    void destroy(pool_slot* s) noexcept { slots.erase(s->self); }

    void push_idle(pool_slot* s) {
        if (!waiters.empty()) {
            auto* w = waiters.front();
            waiters.pop_front();
            w->given = s;
            w->woken.set();
            return;
        }
        idle.push_back(s);
    }

    /// A connection comes back from its user, or from a waiter that no longer wants it.
    void release(pool_slot* s) {
        const auto now = clock::now();
        if (running && may_reuse(*s, now)) {
            s->last_used = now;
            push_idle(s);
        } else {
            destroy(s);
        }
        work.set();
        returned.set();
    }

    /// Starts as many connection attempts as are wanted and allowed now.
    void top_up() {
        if (!running || clock::now() < not_before) return;
        const auto wanted =
            std::max(waiters.size(), options.min_size > slots.size() ? options.min_size - slots.size() : 0);
        // While the server does not answer, one attempt is enough to find out that it is back.
        const auto at_once = failures_in_row ? std::size_t{1} : wanted;
        while (connecting < std::min(wanted, at_once) && total() < options.max_size) {
            ++connecting;
            group.spawn("connect", connect_one());
        }
    }

    task<void> connect_one() {
        const auto as_of = generation;
        std::list<pool_slot> fresh;
        fresh.emplace_back(executor, options.connection);
        std::string failure;
        error_code failure_code;
        try {
            co_await fresh.front().link.connect();
        } catch (const system_error& e) {
            failure = e.what();
            failure_code = e.code();
        } catch (...) {
            --connecting;
            throw;
        }
        --connecting;
        if (is_cancelled(failure_code)) co_return;
        if (failure_code) {
            note_failure(std::move(failure));
        } else {
            note_success();
            const auto now = clock::now();
            slots.splice(slots.end(), fresh);
            auto* s = &slots.back();
            s->self = std::prev(slots.end());
            s->generation = as_of;
            s->last_used = now;
            s->expires = now + std::chrono::duration_cast<clock::duration>(options.max_lifetime *
                                                                           (0.9 + 0.2 * random.next()));
            if (running)
                push_idle(s);
            else
                destroy(s);
        }
        work.set();
    }

    void note_failure(std::string why) {
        const auto now = clock::now();
        if (failures_in_row == 0) down_since = now;
        ++connect_failures;
        const auto cap = std::min<double>(static_cast<double>(options.reconnect_max.count()),
                                          static_cast<double>(options.reconnect_min.count()) *
                                              static_cast<double>(1ULL << std::min(failures_in_row, 20)));
        ++failures_in_row;
        // Half fixed, half jitter: never at once, never all together.
        const std::chrono::duration<double, std::milli> pause{cap * (0.5 + 0.5 * random.next())};
        not_before = now + std::chrono::duration_cast<clock::duration>(pause);
        if (why != last_failure)
            options.log.warn("postgres_connect_failed", {{"database", description}, {"error", why}});
        last_failure = std::move(why);
    }

    void note_success() {
        ++connects;
        if (failures_in_row)
            options.log.info("postgres_connected_again",
                             {{"database", description}, {"failures", failures_in_row}});
        failures_in_row = 0;
        not_before = {};
        last_failure.clear();
    }

    /// Closes what is too old, too long unused or already dead, so that its replacement is made before
    /// somebody needs it.
    void tidy() {
        const auto now = clock::now();
        for (auto it = idle.begin(); it != idle.end();) {
            auto* s = *it;
            const bool spare = slots.size() > options.min_size && now - s->last_used > options.max_idle;
            if (may_reuse(*s, now) && !spare && s->link.looks_alive()) {
                ++it;
                continue;
            }
            it = idle.erase(it);
            destroy(s);
        }
    }

    /// The pool's one background loop: reacts to `work` and looks around once a second.
    task<void> maintain() {
        for (;;) {
            work.reset();
            tidy();
            top_up();
            auto next = clock::now() + std::chrono::seconds{1};
            if (not_before > clock::now()) next = std::min(next, not_before);
            co_await work.wait_until(next);
        }
    }

    /// The last used idle connection that is fit for use, or null. May answer a ping on the way.
    task<pool_slot*> take_idle() {
        while (!idle.empty()) {
            auto* s = idle.back();
            idle.pop_back();
            const auto now = clock::now();
            if (!may_reuse(*s, now) || !s->link.looks_alive()) {
                destroy(s);
                work.set();
                continue;
            }
            if (now - s->last_used > options.check_after && !co_await ping(*s)) {
                drop_unused();
                continue;
            }
            co_return s;
        }
        co_return nullptr;
    }

    /// One that was unused for so long is dead: so are the others probably (a firewall forgot them, the host
    /// is gone), and to ask each would take a second each.
    void drop_unused() {
        const auto now = clock::now();
        for (auto it = idle.begin(); it != idle.end();) {
            if (now - (*it)->last_used <= options.check_after) {
                ++it;
                continue;
            }
            destroy(*it);
            it = idle.erase(it);
        }
        work.set();
    }

    /// False, and the connection is gone, if it does not answer within a second.
    task<bool> ping(pool_slot& s) {
        struct owner { // a cancelled ping must not lose the slot
            pool_state& state;
            pool_slot* slot;
            ~owner() {
                if (slot) state.release(slot);
            }
        } guard{*this, &s};
        bool answered = true;
        try {
            co_await within(std::chrono::seconds{1}, s.link.execute("SELECT 1"));
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            answered = false;
        }
        if (!running) throw system_error(tiktrend::errc::stopped);
        if (answered) guard.slot = nullptr;
        co_return answered;
    }

    task<pool_slot*> acquire() {
        if (!running) throw system_error(tiktrend::errc::stopped);
        if (auto* s = waiters.empty() ? co_await take_idle() : nullptr) co_return s;
        if (waiters.size() >= options.max_waiting) throw system_error(tiktrend::errc::overloaded);
        if (slots.empty() && failures_in_row && clock::now() - down_since > options.acquire_timeout)
            throw system_error(errc::not_connected, last_failure);

        struct place { // in the queue; leaves it, or gives back what it got, however the wait ends
            explicit place(pool_state& p) : state{p}, me{p.executor} { p.waiters.push_back(&me); }
            place(const place&) = delete;
            place& operator=(const place&) = delete;
            ~place() {
                std::erase(state.waiters, &me);
                if (me.given) state.release(me.given);
            }
            pool_state& state;
            waiter me;
        } p{*this};
        work.set();
        top_up();
        co_await p.me.woken.wait_for(options.acquire_timeout);
        if (p.me.refused) throw system_error(tiktrend::errc::stopped);
        if (!p.me.given)
            throw system_error(errc::pool_timeout, last_failure.empty()
                                                       ? fmt::format("{} connections in use, {} waiting",
                                                                     in_use(), waiters.size())
                                                       : last_failure);
        co_return std::exchange(p.me.given, nullptr);
    }

    std::size_t in_use() const noexcept { return slots.size() - idle.size(); }

    asio::any_io_executor executor;
    pool_options options;
    std::string description;
    default_random random;
    bool running = false;
    std::uint64_t generation = 0;

    std::list<pool_slot> slots;   ///< all that are connected
    std::vector<pool_slot*> idle; ///< last used at the back
    std::deque<waiter*> waiters;  ///< first come, first served
    std::size_t connecting = 0;

    int failures_in_row = 0;
    steady_time down_since{};
    steady_time not_before{}; ///< no connection attempt earlier
    std::string last_failure;
    std::uint64_t connects = 0;
    std::uint64_t connect_failures = 0;

    event work;     ///< something for maintain() to look at
    event returned; ///< a lease came back
    task_group group;
};

lease::lease(std::shared_ptr<pool_state> owner, pool_slot* slot) noexcept
    : owner_{std::move(owner)}, slot_{slot} {}
lease::lease(lease&& other) noexcept = default;

lease& lease::operator=(lease&& other) noexcept {
    if (this != &other) {
        lease ended{std::move(*this)};
        owner_ = std::move(other.owner_);
        slot_ = other.slot_;
    }
    return *this;
}

lease::~lease() {
    if (owner_) owner_->release(slot_);
}

connection& lease::operator*() const noexcept {
    return slot_->link;
}
connection* lease::operator->() const noexcept {
    return &slot_->link;
}
void lease::discard() noexcept {
    slot_->link.close();
}

pool::pool(asio::any_io_executor executor, pool_options options)
    : state_{std::make_shared<pool_state>(std::move(executor), std::move(options))} {}

pool::~pool() {
    assert(!state_->running && "stop the pool before its owner goes");
}

void pool::start() {
    if (std::exchange(state_->running, true)) return;
    state_->group.spawn("maintain", state_->maintain());
}

task<void> pool::stop(std::chrono::milliseconds grace) {
    const auto s = state_;
    if (std::exchange(s->running, false)) {
        for (auto* w : std::exchange(s->waiters, {})) {
            w->refused = true;
            w->woken.set();
        }
        for (auto* i : std::exchange(s->idle, {}))
            s->destroy(i);
        s->group.cancel();
    }
    const auto wait_empty = [](pool_state& st, steady_time deadline) -> task<void> {
        while (!st.slots.empty()) {
            st.returned.reset();
            if (!co_await st.returned.wait_until(deadline)) co_return;
        }
    };
    co_await s->group.join();
    co_await wait_empty(*s, clock::now() + grace);
    // Under their users, who wake with connection_lost and let go.
    for (auto& slot : s->slots)
        slot.link.close();
    co_await wait_empty(*s, clock::now() + std::chrono::seconds{1});
}

task<lease> pool::acquire() {
    const auto s = state_;
    auto* slot = co_await s->acquire();
    co_return lease{s, slot};
}

task<rows> pool::query(std::string_view sql, const params& values) {
    const auto l = co_await acquire();
    try {
        co_return co_await l->query(sql, values);
    } catch (const system_error& e) {
        if (e.code() == errc::read_only) recycle();
        throw;
    }
}

task<std::vector<rows>> pool::run(const batch& statements) {
    const auto l = co_await acquire();
    try {
        co_return co_await l->run(statements);
    } catch (const system_error& e) {
        if (e.code() == errc::read_only) recycle();
        throw;
    }
}

void pool::recycle() noexcept {
    ++state_->generation;
    state_->work.set();
}

std::size_t pool::in_use() const noexcept {
    return state_->in_use();
}
std::size_t pool::idle() const noexcept {
    return state_->idle.size();
}
std::size_t pool::waiting() const noexcept {
    return state_->waiters.size();
}
std::uint64_t pool::connects() const noexcept {
    return state_->connects;
}
std::uint64_t pool::connect_failures() const noexcept {
    return state_->connect_failures;
}
bool pool::is_healthy() const noexcept {
    return state_->connects > 0 && state_->failures_in_row == 0 && !state_->slots.empty();
}
const std::string& pool::description() const noexcept {
    return state_->description;
}
const pool_options& pool::options() const noexcept {
    return state_->options;
}

} // namespace tiktrend::postgres
