// tiktrend queue: looks at a queue and works on it, whoever made it (any BullMQ client).
#include "target.hpp"

#include <CLI/CLI.hpp>

namespace tiktrend::cli {

void add_queue(CLI::App& root, action& chosen) {
    auto* group =
        root.add_subcommand("queue", "Look at a queue and work on it (REDIS_QUEUE_URL, QUEUE_NAME)");
    group->require_subcommand(1);
    add_queue_overview(*group, chosen);
    add_queue_jobs(*group, chosen);
    add_queue_control(*group, chosen);
    add_queue_bulk(*group, chosen);
    add_queue_schedulers(*group, chosen);
    add_queue_flow(*group, chosen);
    add_queue_events(*group, chosen);
}

} // namespace tiktrend::cli
