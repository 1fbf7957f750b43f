#include <tiktrend/base/single_flight.hpp>

namespace tiktrend {

task<void> single_flight::wait() {
    co_await wait_until(std::chrono::steady_clock::time_point::max());
}

task<bool> single_flight::wait_until(std::chrono::steady_clock::time_point deadline) {
    struct counted {
        std::size_t& n;
        explicit counted(std::size_t& of) : n{of} { ++n; }
        counted(const counted&) = delete;
        ~counted() { --n; }
    };
    const counted me{waiting_};
    co_return co_await ended_.wait_until(deadline);
}

} // namespace tiktrend
