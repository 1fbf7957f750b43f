#pragma once
#include "hpa.hpp"

#include <sys/types.h>

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace tiktrend::autoscale {

/// Real workers, started and stopped like pods: the youngest goes first, with SIGTERM and a grace period
/// before SIGKILL. Times are those of the caller's clock. The destructor kills what still runs; stop_all()
/// and reap() end them in order.
class worker_processes {
public:
    /// `command` is run with WORKER_NAME, METRICS_PORT=0 and PORT_FILE added to the environment; port files
    /// and output go to `directory`, which is made.
    worker_processes(std::vector<std::string> command, std::filesystem::path directory, moment grace);
    ~worker_processes();
    worker_processes(const worker_processes&) = delete;
    worker_processes& operator=(const worker_processes&) = delete;

    /// Throws std::system_error if there can be no further process.
    void start();
    void stop_youngest(moment now);
    void stop_all(moment now);
    /// Takes note of those that ended, and kills those whose grace is over.
    void reap(moment now);

    /// Not told to end.
    int replicas() const;
    /// Of them those that have written their port file: they take jobs.
    int taking_jobs() const;
    bool none_left() const noexcept { return workers_.empty(); }
    /// How many ended without having been told to, or with another status than 0.
    int failures() const noexcept { return failures_; }

    /// Writes the metrics addresses for Prometheus' file_sd_configs, beside and renamed.
    void write_targets(const std::filesystem::path& file) const;

private:
    struct process {
        pid_t pid;
        std::string name;
        bool is_stopping = false;
        moment kill_at{0};
    };
    std::filesystem::path port_file(const process& p) const { return directory_ / (p.name + ".port"); }
    std::string metrics_port(const process& p) const;

    std::vector<std::string> command_;
    std::filesystem::path directory_;
    moment grace_;
    std::deque<process> workers_; ///< the oldest first
    int started_ = 0;
    int failures_ = 0;
};

} // namespace tiktrend::autoscale
