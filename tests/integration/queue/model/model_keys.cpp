#include "model.hpp"

#include <algorithm>
#include <cmath>

namespace tiktrend::testing {

using interop::canonical;

namespace {

constexpr std::int64_t lock_ms = 30'000;

std::string score_text(double score) {
    if (std::trunc(score) == score) return std::to_string(static_cast<std::int64_t>(score));
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.17g", score);
    return buffer;
}

} // namespace

interop::snapshot model::keys() const {
    interop::snapshot out;
    const std::string base = "P:q:";
    const auto put = [&](const std::string& key, const char* type, std::vector<std::string> rows,
                         std::int64_t ttl = -1) {
        if (!rows.empty()) out[base + key] = {type, ttl, std::move(rows)};
    };
    const auto put_set = [&](const std::string& key, const sorted_set& set) {
        std::vector<std::pair<double, std::string>> order;
        for (const auto& [id, score] : set)
            order.emplace_back(score, id);
        std::sort(order.begin(), order.end());
        std::vector<std::string> rows;
        for (const auto& [score, id] : order)
            rows.push_back(id + " @ " + score_text(score));
        put(key, "zset", std::move(rows));
    };
    put("wait", "list", {wait_.begin(), wait_.end()});
    put("active", "list", {active_.begin(), active_.end()});
    put_set("prioritized", prioritized_);
    put_set("delayed", delayed_);
    put_set("completed", completed_);
    put_set("failed", failed_);
    put("stalled", "set", {stalled_.begin(), stalled_.end()});
    if (was_checked_) put("stalled-check", "string", {std::to_string(last_check_)}, lock_ms);
    sorted_set marker;
    if (marker_) marker["0"] = 0;
    if (marker_at_) marker["1"] = *marker_at_;
    put_set("marker", marker);
    if (id_) put("id", "string", {std::to_string(*id_)});
    if (order_) put("pc", "string", {std::to_string(*order_)});
    std::vector<std::string> meta{"opts.maxLenEvents=10000"};
    if (is_paused_) meta.push_back("paused=1");
    if (concurrency_) meta.push_back("concurrency=" + std::to_string(*concurrency_));
    std::sort(meta.begin(), meta.end());
    put("meta", "hash", std::move(meta));
    for (const auto& [id, token] : locks_)
        put(id + ":lock", "string", {token}, lock_ms);
    put("events", "stream", events_);
    for (const auto& [id, j] : jobs_) {
        std::vector<std::string> rows{"name=" + j.name,
                                      "data={}",
                                      "opts=" + canonical(j.opts),
                                      "timestamp=" + std::to_string(j.timestamp),
                                      "delay=" + std::to_string(j.delay),
                                      "priority=" + std::to_string(j.priority)};
        const auto add_number = [&](const char* name, std::int64_t n) {
            if (n > 0) rows.push_back(name + std::to_string(n));
        };
        const auto add_text = [&](const std::string& name, const std::optional<std::string>& t) {
            if (t) rows.push_back(name + *t);
        };
        add_number("atm=", j.made);
        add_number("ats=", j.started);
        add_number("stc=", j.stalls);
        add_number("processedOn=", j.processed_on.value_or(0));
        add_number("finishedOn=", j.finished_on.value_or(0));
        if (j.started > 0) rows.push_back("pb=w");
        if (j.progress) rows.push_back("progress=" + canonical(*j.progress));
        add_text("returnvalue=", j.value);
        add_text("failedReason=", j.reason);
        add_text("defa=", j.deferred);
        if (j.stack) rows.push_back("stacktrace=" + canonical(*j.stack));
        std::sort(rows.begin(), rows.end());
        put(id, "hash", std::move(rows));
    }
    return out;
}

} // namespace tiktrend::testing
