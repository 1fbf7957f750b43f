#include "job_table.hpp"

#include <fmt/format.h>

namespace tiktrend::worker {

std::set<std::string, std::less<>> job_table::names() const {
    std::set<std::string, std::less<>> out;
    for (const auto& [name, run] : processors_)
        out.insert(name);
    return out;
}

task<std::string> job_table::run(queue::active_job& job) const {
    const auto it = processors_.find(job.record().name);
    if (it == processors_.end()) {
        std::string known;
        for (const auto& [name, run] : processors_)
            known += known.empty() ? name : ", " + name;
        throw queue::unrecoverable_error{
            fmt::format("unknown job name \"{}\"; expected {}", job.record().name, known)};
    }
    co_return co_await it->second(job);
}

} // namespace tiktrend::worker
