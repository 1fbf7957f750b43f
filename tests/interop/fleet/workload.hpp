#pragma once
#include "actor.hpp"

#include <random>
#include <set>

namespace tiktrend::interop {

/// What must have become of a job when the queue is quiet.
struct expectation {
    std::string state;              ///< completed or failed
    std::int64_t attempts_made = 1; ///< atm at the end
    std::int64_t attempts = 0;      ///< allowed
    std::int64_t backoff_ms = 0;    ///< least pause before each further attempt
    bool is_removed = false;        ///< by its own keep policy
    std::string reason;             ///< of a failure; empty: any
};

/// Random jobs for one queue, added by whoever is handed in. What was accepted is remembered with what must
/// become of it.
class workload {
public:
    workload(std::string queue, std::uint64_t seed) : queue_{std::move(queue)}, random_{seed} {}

    /// One random add by `who`: a job, several at once, or an id that exists already.
    void add(actor& who);
    /// A parent with children whose failures it minds in one of the four ways.
    void add_flow(actor& who);

    const std::map<std::string, expectation>& accepted() const noexcept { return accepted_; }
    std::int64_t below(std::int64_t n) {
        return std::uniform_int_distribution<std::int64_t>{0, n - 1}(random_);
    }

private:
    struct random_job {
        json::object text; ///< name, data, opts
        expectation expected;
    };
    random_job make();
    void expect(const std::string& id, expectation e) { accepted_.try_emplace(id, std::move(e)); }

    std::string queue_;
    std::mt19937_64 random_;
    std::map<std::string, expectation> accepted_;
    std::vector<random_job> with_own_id_;
};

} // namespace tiktrend::interop
