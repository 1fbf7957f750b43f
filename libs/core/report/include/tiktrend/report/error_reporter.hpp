#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/report/dsn.hpp>
#include <tiktrend/report/event.hpp>
#include <tiktrend/report/report_limit.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace tiktrend::report {

struct reporter_options {
    reporter_options() {}
    origin from;
    std::string ca_file; ///< PEM; empty: the system's
    std::size_t per_minute = 30;
    std::chrono::seconds same_every{60};
};

/// Sends log lines of level error to a Sentry-compatible endpoint, from a thread of its own. Whoever logs is
/// never held up: a line is looked at, perhaps copied into a queue of 100, and dropped when that is full.
/// What cannot be sent is dropped too; error reports are no log.
class error_reporter {
public:
    error_reporter(dsn where, reporter_options options);
    /// Sends what is queued for at most two seconds more.
    ~error_reporter();
    error_reporter(const error_reporter&) = delete;
    error_reporter& operator=(const error_reporter&) = delete;

    /// Thread-safe, does not wait for the network. For logger sinks.
    void submit(std::string_view log_line);

private:
    void work();
    bool next(std::string& line);

    dsn where_;
    reporter_options options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> lines_;
    bool is_over_ = false;
    std::chrono::steady_clock::time_point give_up_at_ = std::chrono::steady_clock::time_point::max();
    std::thread thread_;
};

/// A logger to standard error whose errors also go to `dsn_text`; an empty or unreadable text gives a plain
/// logger. The reporter lives as long as a copy of the logger does.
logger reporting_logger(log_level level, std::string_view dsn_text, reporter_options options);

} // namespace tiktrend::report
