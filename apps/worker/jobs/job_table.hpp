#pragma once
#include <tiktrend/queue/worker.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tiktrend::worker {

/// Job names and what runs them. A job with any other name fails for good: no later version of this attempt
/// will know it.
class job_table {
public:
    void add(std::string_view name, queue::processor run) { processors_.emplace(name, std::move(run)); }
    std::set<std::string, std::less<>> names() const;

    /// Runs a job by its name. The table must outlive the task.
    task<std::string> run(queue::active_job& job) const;

private:
    std::map<std::string, queue::processor, std::less<>> processors_;
};

} // namespace tiktrend::worker
