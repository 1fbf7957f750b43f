#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/cache/response_cache.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tiktrend::cache {

using namespace std::chrono_literals;

template <class F>
task<bool> eventually(F done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) co_return false;
        co_await sleep_for(2ms);
    }
    co_return true;
}

/// One gateway thread: a client, a cache and what its hooks heard. Several of them stand for several
/// processes.
struct instance {
    explicit instance(asio::any_io_executor executor, const std::string& url,
                      response_cache_options o = response_cache_options{})
        : far{executor, redis::parse_url(url).value(), options()}, cache{far, heard_by(this, std::move(o))} {}

    static redis::client_options options() {
        redis::client_options o;
        o.reconnect_min = 5ms;
        o.reconnect_max = 50ms;
        o.command_timeout = 500ms;
        return o;
    }
    static response_cache_options heard_by(instance* self, response_cache_options o) {
        o.on_outcome = [self](std::string_view, outcome how) { self->outcomes.push_back(how); };
        o.on_fill = [self](std::string_view, fill_result r) { self->fills.push_back(r); };
        return o;
    }

    task<void> start() {
        far.start();
        cache.start();
        co_await far.wait_connected(5s);
        REQUIRE(co_await eventually([this] { return cache.near().is_trusted(); }));
    }
    task<void> stop() {
        co_await cache.stop();
        co_await far.stop();
    }
    /// Waits until the fill number `n` (from 1) has ended; what became of it.
    task<fill_result> fill(std::size_t n) {
        REQUIRE(co_await eventually([&] { return fills.size() >= n; }));
        co_return fills[n - 1];
    }

    redis::client far;
    std::vector<outcome> outcomes;
    std::vector<fill_result> fills;
    response_cache cache;
};

/// The database of a test: the loader reads `body` and `lsn` when `gate` opens.
struct source {
    explicit source(asio::any_io_executor executor) : gate{executor}, reached{executor} { gate.set(); }
    std::string body = "v1";
    std::uint64_t lsn = 100;
    bool found = true;
    bool fails = false; ///< a bug
    bool away = false;  ///< cannot be reached
    int loads = 0;
    event gate;    ///< closed: a load stops after it has read
    event reached; ///< a load has read

    loader load() {
        return [this] { return read(*this); };
    }
    static task<loaded> read(source& s) {
        ++s.loads;
        loaded l;
        l.body = s.body;
        l.lsn = s.lsn;
        l.found = s.found;
        const bool fails = s.fails;
        const bool away = s.away;
        s.reached.set();
        co_await s.gate.wait();
        if (fails) throw std::runtime_error("database is away");
        if (away) throw system_error{tiktrend::errc::timed_out};
        co_return l;
    }
};

/// What get() gave: "BODY outcome", or "! message".
inline task<std::string> ask(response_cache& c, key k, source& s, std::chrono::milliseconds ttl = 1h) {
    try {
        const auto a = co_await c.get(k, ttl, s.load());
        co_return a.value->body + ' ' + std::string{to_string(a.how)};
    } catch (const std::exception& e) {
        co_return std::string{"! "} + e.what();
    }
}
inline task<void> note(task<std::string> work, std::string& out) {
    out = co_await std::move(work);
}

/// Runs `body(instance a, instance b, source)` on a flushed server and stops both instances.
using cache_test = task<void> (*)(instance&, instance&, source&);

inline task<void> run_instances(const std::string& url, cache_test body, response_cache_options o) {
    const auto executor = co_await asio::this_coro::executor;
    instance a{executor, url, o};
    instance b{executor, url, o};
    source s{executor};
    std::exception_ptr error;
    try {
        co_await a.start();
        co_await b.start();
        co_await body(a, b, s);
    } catch (...) {
        error = std::current_exception();
    }
    s.gate.set();
    co_await a.stop();
    co_await b.stop();
    if (error) std::rethrow_exception(error);
}

inline void with_caches(cache_test body, response_cache_options o = response_cache_options{},
                        testing::redis_server& server = testing::redis_server::shared()) {
    server.command({"FLUSHALL"});
    testing::run_coroutine(run_instances(server.unix_url(), body, std::move(o)));
}

} // namespace tiktrend::cache
