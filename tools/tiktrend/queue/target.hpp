#pragma once
#include "../command.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/queue/queue.hpp>

#include <functional>
#include <memory>
#include <string>

namespace tiktrend::cli {

/// Which queue a verb means and how it answers: the options that all verbs of `tiktrend queue` share.
/// Defaults come from REDIS_QUEUE_URL, QUEUE_PREFIX and QUEUE_NAME.
struct queue_target {
    std::string url, prefix, name;
    bool as_json = false;
    bool is_sure = false; ///< --yes
};

/// Adds --redis, --prefix, --queue and --json to a verb; with `is_destructive` also --yes.
std::shared_ptr<queue_target> add_target(CLI::App& verb, bool is_destructive = false);

/// What a verb does, given its queue. The views of the queue are made inside.
using queue_work = std::function<task<int>(queue::queue&)>;

/// Connects, runs `work`, disconnects. A queue that does not exist is an error, so that a mistyped name is
/// not taken for an empty queue.
action on_queue(std::shared_ptr<queue_target> target, queue_work work);

/// As above for work that removes something: without --yes it is refused (usage_error) and `what` named.
action on_queue_if_sure(std::shared_ptr<queue_target> target, std::string what, queue_work work);

/// Connects and runs `work` with the bare connection.
action on_redis(std::shared_ptr<queue_target> target, std::function<task<int>(redis::client&)> work);

/// One of the states that jobs can be listed by; usage_error otherwise.
queue::job_state state_named(const std::string& name);

// One file each.
void add_queue_overview(CLI::App& group, action& chosen);    ///< stats, ls, workers
void add_queue_jobs(CLI::App& group, action& chosen);        ///< jobs, job get
void add_queue_job_changes(CLI::App& group, action& chosen); ///< job retry, promote, rm
void add_queue_control(CLI::App& group, action& chosen);     ///< pause, resume
void add_queue_bulk(CLI::App& group, action& chosen);        ///< retry-failed, clean, drain
void add_queue_events(CLI::App& group, action& chosen);      ///< events
void add_queue_schedulers(CLI::App& group, action& chosen);  ///< schedulers
void add_queue_flow(CLI::App& group, action& chosen);        ///< flow

} // namespace tiktrend::cli
