#pragma once
// The words for flows and schedulers: BullMQ's JavaScript forms to ours and back.
#include "wire.hpp"

#include <tiktrend/queue/flow_producer.hpp>
#include <tiktrend/queue/job_scheduler.hpp>

namespace tiktrend::interop {

/// BullMQ's FlowJob: {name, queueName, data, opts, prefix, children}.
queue::flow_node flow_node_of(const json::object& node);
/// {"<queue>": {"defaultJobOptions": {..}}}
queue::queue_defaults queue_defaults_of(const json::object& options);
/// {every, pattern, tz, limit, startDate, endDate, offset, immediately}
queue::repeat_options repeat_options_of(const json::object& options);
/// {name, data, opts}
queue::job_template job_template_of(const json::object& jobs);

json::object describe(const queue::flow_job& job);       ///< {id, children}
json::object describe(const queue::flow_tree& tree);     ///< {id, state, children}
json::object describe(const queue::scheduler_record& s); ///< as Node's getJobScheduler

} // namespace tiktrend::interop
