#include "scripts.hpp"

#include "lua_files.hpp"

#include <set>

namespace tiktrend::queue {
namespace {

void append(std::string& out, std::string_view text, std::set<std::string, std::less<>>& taken) {
    constexpr std::string_view directive = "--@include \"";
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.starts_with(directive)) {
            out.append(line).push_back('\n');
            continue;
        }
        const std::string part{
            line.substr(directive.size(), line.find('"', directive.size()) - directive.size())};
        if (taken.insert(part).second)
            append(out, embedded_text(lua_files(), "includes/" + part + ".lua"), taken);
    }
}

redis::script make(const char* name) {
    return redis::script{name, assemble_script(name)};
}

} // namespace

std::string assemble_script(std::string_view name) {
    std::string out;
    std::set<std::string, std::less<>> taken;
    append(out, embedded_text(lua_files(), std::string{name} + ".lua"), taken);
    return out;
}

const scripts& scripts::all() {
    static const scripts instance{
        .add = make("add"),
        .finish_and_fetch = make("finish_and_fetch"),
        .fetch_when_woken = make("fetch_when_woken"),
        .renew_locks = make("renew_locks"),
        .recover = make("recover"),
        .stalled_check = make("stalled_check"),
        .next_iteration = make("next_iteration"),
        .move_to_waiting_children = make("move_to_waiting_children"),
        .limit_group = make("limit_group"),
        .pause_group = make("pause_group"),
        .set_group = make("set_group"),
        .read_group = make("read_group"),
        .read_groups = make("read_groups"),
        .update_progress = make("update_progress"),
        .update_data = make("update_data"),
        .add_log = make("add_log"),
        .get_job = make("get_job"),
        .get_state = make("get_state"),
        .counts = make("counts"),
        .depth = make("depth"),
        .list_ids = make("list_ids"),
        .pause = make("pause"),
        .resume = make("resume"),
        .promote = make("promote"),
        .retry = make("retry"),
        .remove = make("remove"),
        .set_concurrency = make("set_concurrency"),
        .is_maxed = make("is_maxed"),
        .rate_limit_ttl = make("rate_limit_ttl"),
        .drain = make("drain"),
        .clean = make("clean"),
        .obliterate = make("obliterate"),
        .retry_many = make("retry_many"),
        .promote_many = make("promote_many"),
        .remove_orphans = make("remove_orphans"),
        .remove_stale_deduplication = make("remove_stale_deduplication"),
        .change_delay = make("change_delay"),
        .change_priority = make("change_priority"),
        .is_finished = make("is_finished"),
        .free_deduplication_id = make("free_deduplication_id"),
        .remove_child_dependency = make("remove_child_dependency"),
        .remove_unprocessed_children = make("remove_unprocessed_children"),
        .counts_per_priority = make("counts_per_priority"),
        .list_jobs = make("list_jobs"),
        .scan_keys = make("scan_keys"),
        .add_flow = make("add_flow"),
        .flow_node = make("flow_node"),
        .upsert_scheduler = make("upsert_scheduler"),
        .read_schedulers = make("read_schedulers"),
        .remove_scheduler = make("remove_scheduler"),
        .read_events = make("read_events"),
    };
    return instance;
}

} // namespace tiktrend::queue
