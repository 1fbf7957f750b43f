// A name server that does not answer must cost a fetch its time, not the event loop its life.
#include "raw_server.hpp"

#include <catch2/catch.hpp>
#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

/// Look-ups of stuck.test wait here until they are let go.
struct stuck_look_ups {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
    int waiting = 0;

    void wait() {
        std::unique_lock lock{mutex};
        ++waiting;
        changed.wait_for(lock, 20s, [this] { return is_open; });
        --waiting;
        changed.notify_all();
    }
    int count() {
        const std::lock_guard lock{mutex};
        return waiting;
    }
    void let_go() {
        std::unique_lock lock{mutex};
        is_open = true;
        changed.notify_all();
        changed.wait_for(lock, 20s, [this] { return waiting == 0; });
    }
};

stuck_look_ups& stuck() {
    static stuck_look_ups one;
    return one;
}

/// The longest time in which the event loop did not come round, measured every 5 ms.
task<void> watch_loop(std::chrono::steady_clock::duration& longest, const bool& is_over) {
    auto last = std::chrono::steady_clock::now();
    while (!is_over) {
        co_await sleep_for(5ms);
        const auto now = std::chrono::steady_clock::now();
        longest = std::max(longest, now - last);
        last = now;
    }
}

task<void> meet_a_silent_name_server() {
    auto options = loopback_options();
    options.connect_timeout = 300ms;
    fetch::client client{co_await asio::this_coro::executor, options};
    std::chrono::steady_clock::duration longest{};
    bool is_over = false;
    task_group group{co_await asio::this_coro::executor};
    group.spawn("watch", watch_loop(longest, is_over));
    const auto out = co_await get(client, "http://stuck.test/");
    CHECK(verdict(out) == "timeout");
    CHECK(stuck().count() == 1); // the look-up goes on, in its thread
    co_await client.stop();
    is_over = true;
    co_await group.join();
    CHECK(longest < 2s);
}

} // namespace

// In place of the C library's, for this program and the libcurl that it has loaded.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** out) {
    using look_up = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<look_up>(dlsym(RTLD_NEXT, "getaddrinfo"));
    if (node && std::string_view{node} == "stuck.test") {
        stuck().wait();
        return EAI_AGAIN;
    }
    return real(node, service, hints, out);
}

TEST_CASE("curl trap 17: a look-up that hangs ends by the connect limit and does not hold up the loop",
          "[integration][fetch]") {
    run_coroutine(meet_a_silent_name_server(), 60s);
    stuck().let_go();
}
