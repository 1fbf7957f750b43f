#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/queue/error.hpp>
#include <tiktrend/queue/job.hpp>
#include <tiktrend/queue/job_options.hpp>
#include <tiktrend/redis/client.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::queue {

/// A job of a flow with the jobs that it waits for (BullMQ's FlowJob).
struct flow_node {
    flow_node() {}
    flow_node(std::string n, std::string queue, std::string d = "{}", job_options o = job_options{},
              std::vector<flow_node> c = {})
        : name{std::move(n)}, queue_name{std::move(queue)}, data{std::move(d)}, options{std::move(o)},
          children{std::move(c)} {}
    std::string name;
    std::string queue_name;
    std::string data = "{}"; ///< JSON text
    /// Without an id: a random UUID. `parent` for a root only: the flow hangs under that job.
    job_options options;
    std::vector<flow_node> children;
    std::string prefix; ///< of the queue's keys; empty: the producer's
};

/// A job of a flow that was added.
struct flow_job {
    std::string id;
    std::string queue; ///< qualified: "<prefix>:<queue>"
    std::vector<flow_job> children;
    std::string key() const { return queue + ":" + id; } ///< as the parent's children values name it
};

/// A job of a flow as it is stored.
struct flow_tree {
    job_record job;
    job_state state = job_state::unknown;
    std::string queue; ///< qualified
    std::vector<flow_tree> children;
};

/// How a producer of flows adds.
struct flow_options {
    flow_options() {}
    std::string prefix = "bull";
    const wall_clock* clock = &system_wall_clock(); ///< must outlive the object
    std::function<std::string()> trace_context;     ///< as queue_options::trace_context
    /// Jobs of one call; invalid_flow above. A script blocks Redis while it runs.
    std::size_t max_nodes = 10'000;
};

/// Default options of a queue's jobs, by the queue's name (BullMQ's queuesOptions).
using queue_defaults = std::map<std::string, job_options, std::less<>>;

/// How much of a tree is read.
struct get_flow_options {
    get_flow_options() {}
    std::string prefix;            ///< empty: the producer's
    std::size_t depth = 10;        ///< levels, the root counted
    std::size_t max_children = 20; ///< of each kind (processed, unprocessed, failed, ignored) of one job
    std::size_t max_nodes = 1000;  ///< in all; further children are left out
};

/// Adds and reads trees of jobs over several queues (BullMQ's FlowProducer). Uses a client that it does not
/// own and that must outlive it. A call adds everything in one script or nothing at all; on Redis Cluster all
/// queues of a flow share a slot, by a {tag} in their prefix. Calls throw system_error with redis::errc when
/// Redis is unavailable, and with queue::errc for refused input, with a text that names the job by its place
/// in the tree, like "children[2].children[0]".
class flow_producer {
public:
    explicit flow_producer(redis::client& client, flow_options options = flow_options{});
    ~flow_producer();
    flow_producer(const flow_producer&) = delete;
    flow_producer& operator=(const flow_producer&) = delete;

    /// Ids that exist already: as with queue::add; such a job becomes the child of this flow unless it has
    /// another parent (parent_cannot_be_replaced). If it has completed, its value is there for the parent at
    /// once.
    task<flow_job> add(flow_node root, queue_defaults defaults = {});
    /// Several flows, all or none.
    task<std::vector<flow_job>> add_bulk(std::vector<flow_node> roots, queue_defaults defaults = {});
    /// The tree under a job; empty if there is no such job. Children that were removed are left out. Each job
    /// is read atomically, the tree is not.
    task<std::optional<flow_tree>> get_flow(std::string queue_name, std::string id,
                                            get_flow_options options = get_flow_options{});

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
