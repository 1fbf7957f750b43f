#pragma once
#include <tiktrend/queue/flow_producer.hpp>

namespace tiktrend::queue {

class json_checker;

/// Trees of jobs in the order in which add_flow.lua takes them: level by level, parents before their
/// children.
struct flow_plan {
    struct job {
        std::size_t base = 0; ///< position of its key base, from 1
        std::string place;    ///< in the tree, for messages
        std::string id, name, data, opts, timestamp, delay, priority, side;
        flow_job* result = nullptr; ///< in `roots`
    };
    std::vector<std::string> bases;
    std::vector<job> jobs;
    std::vector<flow_job> roots; ///< as handed back, with the ids that were chosen
};

/// Checks everything and chooses ids. Throws system_error with queue::errc. `is_cluster`: all queues must
/// share a slot. The plan refers to itself: it is moved, never copied.
flow_plan plan_flows(std::vector<flow_node> roots, const queue_defaults& defaults,
                     const flow_options& options, json_checker& json, bool is_cluster = false);

} // namespace tiktrend::queue
