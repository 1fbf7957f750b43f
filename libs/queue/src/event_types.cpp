#include <tiktrend/queue/event_types.hpp>

#include <charconv>

namespace tiktrend::queue::event_type {
namespace {

std::string text(const queue_event& e, std::string_view field) {
    return std::string{e.get(field)};
}

/// Some clients write computed times with a fraction, which is dropped.
std::int64_t number(const queue_event& e, std::string_view field) {
    const auto value = e.get(field);
    std::int64_t n = 0;
    std::from_chars(value.data(), value.data() + value.size(), n);
    return n;
}

} // namespace

any of(const queue_event& e) {
    const auto& name = e.name;
    auto id = text(e, "jobId");
    if (name == "added") return added{std::move(id), text(e, "name")};
    if (name == "waiting") return waiting{std::move(id), text(e, "prev")};
    if (name == "delayed") return delayed{std::move(id), number(e, "delay")};
    if (name == "waiting-children") return waiting_children{std::move(id), text(e, "prev")};
    if (name == "active") return active{std::move(id), text(e, "prev")};
    if (name == "completed") return completed{std::move(id), text(e, "returnvalue"), text(e, "prev")};
    if (name == "failed") return failed{std::move(id), text(e, "failedReason"), text(e, "prev")};
    if (name == "retries-exhausted") return retries_exhausted{std::move(id), number(e, "attemptsMade")};
    if (name == "stalled") return stalled{std::move(id)};
    if (name == "progress") return progress{std::move(id), text(e, "data")};
    if (name == "removed") return removed{std::move(id), text(e, "prev")};
    if (name == "cleaned") return cleaned{number(e, "count")};
    if (name == "duplicated") return duplicated{std::move(id)};
    if (name == "deduplicated")
        return deduplicated{std::move(id), text(e, "deduplicationId"), text(e, "deduplicatedJobId")};
    if (name == "debounced") return debounced{std::move(id), text(e, "debounceId")};
    if (name == "drained") return drained{};
    if (name == "paused") return paused{};
    if (name == "resumed") return resumed{};
    return custom{name, e.fields};
}

} // namespace tiktrend::queue::event_type
