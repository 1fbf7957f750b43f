#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::testing {

/// A child process of a test. The destructor kills and reaps it; the kernel does so too when the test dies
/// (PR_SET_PDEATHSIG), so that nothing outlives a crashed test.
class process {
public:
    struct options {
        options() {}
        std::map<std::string, std::string> environment; ///< added to ours
        std::filesystem::path output;                   ///< file for standard output and error; empty: ours
        std::filesystem::path directory;                ///< empty: ours
        std::string user; ///< switch to this user when running as root; empty: no switch
    };

    process() = default;
    /// argv[0] is looked up in PATH. Throws std::runtime_error if the program cannot be started.
    process(std::vector<std::string> argv, const options& o = options{});
    process(process&& other) noexcept;
    process& operator=(process&& other) noexcept;
    ~process();

    pid_t pid() const noexcept { return pid_; }
    bool running();
    void signal(int number) const;
    /// Waits for the end, at most `limit`. The exit status: code, or 128 + signal. Empty if it still runs.
    std::optional<int> wait(std::chrono::milliseconds limit);
    /// SIGKILL and reap.
    void kill();

private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

/// Runs a program to its end; its status as process::wait(). Throws std::runtime_error past `limit`.
int run(std::vector<std::string> argv, const process::options& o = process::options{},
        std::chrono::milliseconds limit = std::chrono::seconds{60});

/// Calls `done` every few milliseconds until it is true or `limit` has passed. The last answer.
template <class F>
bool poll_until(F done, std::chrono::milliseconds limit = std::chrono::seconds{10});

void poll_pause();

template <class F>
bool poll_until(F done, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() >= end) return done();
        poll_pause();
    }
    return true;
}

/// A TCP port of 127.0.0.1 that was free a moment ago.
unsigned short free_port();

} // namespace tiktrend::testing
