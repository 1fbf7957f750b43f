#pragma once
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/client.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <string>

namespace tiktrend::redis {

using namespace std::chrono_literals;

/// Options for tests: quick reconnection.
inline client_options quick(std::string name = {}) {
    client_options o;
    o.client_name = std::move(name);
    o.reconnect_min = 5ms;
    o.reconnect_max = 50ms;
    return o;
}

inline address at(const std::string& url) {
    return parse_url(url).value();
}

/// Runs `body(client)` with a connected client and stops it afterwards, also when the body throws.
using client_test = task<void> (*)(client&);

inline task<void> with_client_on(address where, client_options options, client_test body) {
    client c{co_await asio::this_coro::executor, std::move(where), std::move(options)};
    c.start();
    std::exception_ptr error;
    try {
        co_await c.wait_connected(5s);
        co_await body(c);
    } catch (...) {
        error = std::current_exception();
    }
    co_await c.stop();
    if (error) std::rethrow_exception(error);
}

inline void with_client(client_test body, client_options options = quick()) {
    testing::run_coroutine(
        with_client_on(at(testing::redis_server::shared().unix_url()), std::move(options), body));
}

/// The code that `work` throws; no error if it does not throw.
template <class T>
task<error_code> code_of(task<T> work) {
    try {
        co_await std::move(work);
    } catch (const system_error& e) {
        co_return e.code();
    }
    co_return error_code{};
}

/// Waits until `done()` on the running context, at most 10 s.
template <class F>
task<bool> eventually(F done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) co_return false;
        co_await sleep_for(2ms);
    }
    co_return true;
}

} // namespace tiktrend::redis
