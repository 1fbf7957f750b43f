#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/base/unique_function.hpp>

#include <chrono>
#include <string>

namespace tiktrend::worker {

/// How one host may be asked.
struct host_rules {
    std::chrono::milliseconds delay{
        1000};           ///< between the starts of two requests; moved by up to a fifth at random
    int concurrency = 1; ///< requests at once
};

/// Leave to send one request; ends with the object.
class host_permit {
public:
    host_permit() = default;
    explicit host_permit(unique_function<void()> give_back) : give_back_{std::move(give_back)} {}
    host_permit(host_permit&& other) noexcept : give_back_{std::exchange(other.give_back_, nullptr)} {}
    host_permit& operator=(host_permit&&) = delete;
    ~host_permit() {
        if (give_back_) give_back_();
    }

private:
    unique_function<void()> give_back_;
};

/// Keeps every host from being asked faster than its rules allow. The worker's own implementation
/// (local_politeness) knows this process only; one that several workers share has the same face.
class politeness {
public:
    virtual ~politeness() = default;

    /// Waits for the host's turn, first come, first served. While the host is paused for longer than
    /// `longest_pause` it waits for nothing and returns the rest of the pause instead. Cancellation:
    /// terminal.
    virtual task<result<host_permit, std::chrono::milliseconds>>
    enter(std::string host, host_rules rules, std::chrono::milliseconds longest_pause) = 0;

    /// Nobody asks the host before that time (Retry-After, a refusal). Never shortens a pause.
    virtual void pause(const std::string& host, std::chrono::milliseconds duration) = 0;
};

} // namespace tiktrend::worker
