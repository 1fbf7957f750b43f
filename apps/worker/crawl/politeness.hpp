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

/// How a request went, for implementations that adapt.
struct host_visit {
    bool is_overloaded = false;              ///< 429, 503 or a timeout: the host wants to be asked less often
    std::chrono::milliseconds first_byte{0}; ///< from the request to the first byte; 0: no answer
};

/// Leave to send one request; ends with the object.
class host_permit {
public:
    using give_back = unique_function<void(const host_visit&)>;

    host_permit() = default;
    explicit host_permit(give_back f) : give_back_{std::move(f)} {}
    host_permit(host_permit&& other) noexcept
        : give_back_{std::exchange(other.give_back_, nullptr)}, visit_{other.visit_} {}
    host_permit& operator=(host_permit&&) = delete;
    ~host_permit() {
        if (give_back_) give_back_(visit_);
    }

    /// Noted now, told when the permit ends.
    void report(const host_visit& visit) noexcept { visit_ = visit; }

private:
    give_back give_back_;
    host_visit visit_;
};

/// Keeps every host from being asked faster than its rules allow: within this process (local_politeness), or
/// together with all other workers (shared_politeness).
class politeness {
public:
    virtual ~politeness() = default;

    /// Waits for the host's turn, first come, first served within the process. Returns the time to come back
    /// after instead when one wait would take longer than `longest_pause` (the host is paused, or its delay
    /// is that long), when the line before it is longer than longest_line, or after that time in it.
    /// Cancellation: terminal.
    virtual task<result<host_permit, std::chrono::milliseconds>>
    enter(std::string host, host_rules rules, std::chrono::milliseconds longest_pause) = 0;

    /// Nobody asks the host before that time (Retry-After, a refusal). Never shortens a pause.
    virtual void pause(const std::string& host, std::chrono::milliseconds duration) = 0;

    /// A job that would stand in line for longer frees its slot and comes back.
    static constexpr std::chrono::milliseconds longest_line{60'000};
};

} // namespace tiktrend::worker
