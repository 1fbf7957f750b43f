#pragma once
#include <tiktrend/base/event.hpp>

#include <cassert>
#include <chrono>
#include <cstddef>
#include <utility>

namespace tiktrend {

/// Something that one coroutine at a time does, for all who want it done meanwhile:
///
///     if (read_.is_taken()) co_return co_await read_.wait();
///     const auto mine = read_.take();
///     ... // whoever comes now waits for the end of this scope
///
/// The result is the caller's affair: those who waited look at what there is, or begin anew. For the
/// coroutines of one executor; it must outlive them.
class single_flight {
public:
    explicit single_flight(asio::any_io_executor executor) : ended_{std::move(executor)} { ended_.set(); }

    /// The right to do it. Ends with this object, also when its coroutine is cancelled or throws: nobody
    /// waits for ever.
    class [[nodiscard]] lead {
    public:
        lead(lead&& other) noexcept : of_{std::exchange(other.of_, nullptr)} {}
        lead& operator=(lead&&) = delete;
        ~lead() {
            if (of_) of_->ended_.set();
        }

    private:
        friend single_flight;
        explicit lead(single_flight& of) noexcept : of_{&of} { of.ended_.reset(); }
        single_flight* of_;
    };

    bool is_taken() const noexcept { return !ended_.is_set(); }
    /// Only while it is not taken.
    lead take() noexcept {
        assert(!is_taken());
        return lead{*this};
    }

    /// Until whoever does it now has ended; at once if nobody does. Throws system_error(operation_aborted) if
    /// the waiting coroutine is cancelled.
    task<void> wait();
    /// As wait(), at most until `deadline`; true if it has ended.
    task<bool> wait_until(std::chrono::steady_clock::time_point deadline);
    /// Coroutines in wait() and wait_until().
    std::size_t waiting() const noexcept { return waiting_; }

private:
    event ended_;
    std::size_t waiting_ = 0;
};

} // namespace tiktrend
