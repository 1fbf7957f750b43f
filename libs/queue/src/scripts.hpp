#pragma once
#include <tiktrend/redis/script.hpp>

#include <string>
#include <string_view>

namespace tiktrend::queue {

/// The text of lua/<name>.lua with its includes in place. A line `--@include "part"` stands for
/// lua/includes/part.lua; each part is taken once, where it is first asked for. Throws std::logic_error for a
/// name that does not exist.
std::string assemble_script(std::string_view name);

/// Every script of the library, one member a file.
struct scripts {
    redis::script add, finish_and_fetch, fetch_when_woken, renew_locks, recover, stalled_check,
        next_iteration;
    redis::script move_to_waiting_children;
    redis::script limit_group, pause_group, set_group, read_group, read_groups;
    redis::script update_progress, update_data, add_log;
    redis::script get_job, get_state, counts, depth, list_ids;
    redis::script pause, resume, promote, retry, remove;
    redis::script set_concurrency, is_maxed, rate_limit_ttl;
    redis::script drain, clean, obliterate, retry_many, promote_many, remove_orphans,
        remove_stale_deduplication;
    redis::script change_delay, change_priority, is_finished, free_deduplication_id;
    redis::script remove_child_dependency, remove_unprocessed_children;
    redis::script counts_per_priority, list_jobs, scan_keys;
    redis::script add_flow, flow_node;
    redis::script upsert_scheduler, read_schedulers, remove_scheduler;
    redis::script read_events;

    static const scripts& all();
};

} // namespace tiktrend::queue
