#pragma once
#include "snapshot.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tiktrend::testing {

namespace json = boost::json;

/// BullMQ's state machine in memory, written from its description and not from our scripts: what each command
/// does to the keys of one queue, and what it answers. Jobs without parents, schedulers and deduplication.
class model {
public:
    /// Carries out a command, a step of the differential suite (tests/interop/differential/README.md), and
    /// gives the answer in the form of side::receive(): the value as canonical text, or "refused <code>".
    /// `stalled_check` takes the suspects in the order that Redis gives them (`in_order`).
    std::string carry_out(const json::object& step);

    /// Every key that the queue must have now.
    interop::snapshot keys() const;

    /// Ids that were ever given out, for commands that name a job.
    const std::vector<std::string>& known() const noexcept { return known_; }
    /// Fetches whose job has not ended yet, as far as the workers know: "token/id".
    std::vector<std::string> held() const;
    /// In how many places the id is (invariant I3: one, or none once it is removed).
    int places(const std::string& id) const;
    bool exists(const std::string& id) const { return jobs_.contains(id); }

private:
    struct job {
        std::string name, data;
        json::object opts;
        std::int64_t timestamp = 0, delay = 0, priority = 0;
        std::int64_t made = 0, started = 0, stalls = 0;
        std::optional<std::int64_t> processed_on, finished_on;
        std::optional<std::string> value, reason, deferred;
        std::optional<json::value> progress;
        std::optional<json::array> stack;
    };
    struct held_job {
        job as_fetched;
        std::string id;
    };
    /// What the worker makes of the processor's outcome.
    struct judgement {
        std::optional<std::string> reason; ///< of a failure
        std::int64_t pause = -1;           ///< ms before the next attempt; negative: there is none
    };
    using sorted_set = std::map<std::string, double>;

    std::string add(const json::object& step);
    std::string fetch(const std::string& token);
    std::string finish(const json::object& step);
    std::string stalled_check(const json::object& step);
    std::string renew(const json::object& step);
    std::string promote(const std::string& id);
    std::string retry(const std::string& id, const std::string& state);
    std::string remove(const std::string& id);
    std::string progress(const std::string& id, const json::value& value);
    void pause();
    void resume();

    void emit(std::string event) { events_.push_back("event=" + std::move(event)); }
    bool is_closed() const;
    void wake();
    void wake_at();
    void promote_due();
    void push_delayed(const std::string& id, std::int64_t at);
    void push_prioritized(const std::string& id);
    void push_waiting(const std::string& id, bool front);
    std::optional<std::string> take_next();
    std::string take(const std::string& id, const std::string& token);
    std::optional<std::string> refusal(const std::string& id, const std::string& token) const;
    void leave_active(const std::string& id);
    static judgement judge(const json::object& step, const job& as_fetched);
    void end(const std::string& id, const json::object& step, const job& as_fetched, const judgement& verdict,
             bool& finished);
    void keep(const std::string& target, const std::string& id, const json::value* policy);

    static std::optional<std::string> first(const sorted_set& set);

    std::int64_t now_ = 0;
    std::map<std::string, job> jobs_;
    std::deque<std::string> wait_, active_; ///< front: the left end
    sorted_set prioritized_, delayed_, completed_, failed_;
    std::set<std::string> stalled_;
    bool was_checked_ = false;
    std::int64_t last_check_ = 0;
    bool is_paused_ = false;
    std::optional<std::int64_t> concurrency_;
    std::optional<std::int64_t> id_, order_;
    bool marker_ = false;
    std::optional<double> marker_at_;
    std::map<std::string, std::string> locks_;
    std::vector<std::string> events_;
    std::map<std::string, held_job> held_;
    std::vector<std::string> known_;
};

} // namespace tiktrend::testing
