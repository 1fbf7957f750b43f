#pragma once
#include "keys.hpp"
#include "running_job.hpp"

#include <tiktrend/queue/worker.hpp>

#include <boost/json.hpp>

#include <map>

namespace tiktrend::interop {

namespace json = boost::json;

/// A worker without loops: fetches and settles only what it is told to, by the worker's own scripts and
/// rules. Refused calls throw system_error(queue::errc).
class hand_worker {
public:
    hand_worker(redis::client& client, const queue::queue_keys& keys, queue::worker_options options);

    /// The job taken, or {limited, next} when there is none.
    task<json::value> fetch(std::string token);
    /// Ends the fetched job as the members of the step say (../README.md, `finish`), and fetches with the
    /// same token if asked.
    task<json::value> finish(json::object step, std::string token);
    task<void> stalled_check();
    /// The ids whose lock is not ours any more.
    task<json::value> renew(std::vector<std::string> ids, std::string token);

private:
    struct held_job {
        queue::job_record record;
        queue::stored_options options;
    };
    queue::settlement_rules rules() const;
    task<redis::reply> call(const std::string& token, bool wants_next, const held_job* job,
                            const queue::settlement* end, const std::string& owner);
    task<json::value> take(redis::reply reply, std::string token);
    task<queue::settlement> outcome_of(const json::object& step, const held_job& job,
                                       const std::string& token);

    redis::client& client_;
    const queue::queue_keys& keys_;
    queue::worker_options options_;
    queue::options_reader reader_;
    queue::json_checker json_;
    std::map<std::string, held_job> held_;
};

/// The same members as describe() in ../../node/differential.mjs.
json::object describe_job(const queue::job_record& job);

} // namespace tiktrend::interop
