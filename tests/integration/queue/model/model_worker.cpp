#include "model.hpp"
#include "step_members.hpp"

#include <algorithm>

namespace tiktrend::testing {

using interop::canonical;

namespace {

/// 0: try again now; negative: never.
std::int64_t pause_before(const json::object& opts, std::int64_t made) {
    const auto attempt = made + 1;
    if (attempt >= integer_member(opts, "attempts")) return -1;
    const auto* backoff = opts.if_contains("backoff");
    if (!backoff) return 0;
    const auto& rule = backoff->as_object();
    const auto delay = integer_member(rule, "delay");
    return rule.at("type") == "exponential" ? delay * (std::int64_t{1} << (attempt - 1)) : delay;
}

} // namespace

std::optional<std::string> model::take_next() {
    if (!wait_.empty()) {
        auto id = wait_.back();
        wait_.pop_back();
        return id;
    }
    if (auto id = first(prioritized_)) {
        prioritized_.erase(*id);
        return id;
    }
    order_.reset();
    return std::nullopt;
}

std::string model::take(const std::string& id, const std::string& token) {
    auto& j = jobs_.at(id);
    active_.push_front(id);
    locks_[id] = token;
    emit("active jobId=" + id + " prev=waiting");
    held_[token + "/" + id] = {j, id};
    j.started += 1;
    j.processed_on = now_;
    marker_ = true;
    return canonical(json::object{{"id", id},
                                  {"name", "job"},
                                  {"data", json::object{}},
                                  {"priority", j.priority},
                                  {"delay", j.delay},
                                  {"timestamp", j.timestamp},
                                  {"atm", j.made},
                                  {"ats", j.started},
                                  {"stc", j.stalls},
                                  {"defa", j.deferred.value_or("")},
                                  {"progress", j.progress.value_or(0)},
                                  {"parentKey", ""},
                                  {"rjk", ""},
                                  {"deid", ""}});
}

std::string model::fetch(const std::string& token) {
    promote_due();
    if (is_closed()) return "{limited:false,next:0,}";
    if (const auto id = take_next()) return take(*id, token);
    const auto due = first(delayed_);
    const auto next = due ? static_cast<std::int64_t>(delayed_.at(*due) / 4096) : 0;
    return "{limited:false,next:" + std::to_string(next) + ",}";
}

std::optional<std::string> model::refusal(const std::string& id, const std::string& token) const {
    if (!jobs_.contains(id)) return "refused -1";
    const auto lock = locks_.find(id);
    if (lock == locks_.end()) return "refused -2";
    if (lock->second != token) return "refused -6";
    if (std::find(active_.begin(), active_.end(), id) == active_.end()) return "refused -3";
    return std::nullopt;
}

void model::leave_active(const std::string& id) {
    std::erase(active_, id);
    locks_.erase(id);
    stalled_.erase(id);
}

std::string model::finish(const json::object& step) {
    const auto id = id_member(step), token = text_member(step, "token", "T");
    const auto handle = held_.find(token + "/" + id);
    const auto as_fetched = handle->second.as_fetched;
    held_.erase(handle);
    const bool wants_next = step.contains("fetch");
    const auto verdict = judge(step, as_fetched);
    if (verdict.pause == 0) promote_due(); // before anything is looked at
    const auto code = refusal(id, token);
    bool finished = false;
    if (!code) end(id, step, as_fetched, verdict, finished);
    const bool was_delayed = !code && delayed_.contains(id); // it may be due at once
    std::optional<std::string> taken;
    std::int64_t next_delayed = 0;
    bool is_quiet = true;
    if (wants_next) {
        promote_due();
        is_quiet = !is_closed();
        if (is_quiet) taken = take_next();
        if (const auto due = first(delayed_); is_quiet && !taken && due)
            next_delayed = static_cast<std::int64_t>(delayed_.at(*due) / 4096);
    }
    if (taken) { // also beside a refused one: our calls end and take any number of jobs, each by itself
        const auto answer = take(*taken, token);
        return code.value_or(answer);
    }
    if (was_delayed) wake_at();
    const bool is_empty = wait_.empty() && prioritized_.empty();
    if (finished && is_quiet && next_delayed == 0 && is_empty && active_.empty()) emit("drained");
    if (concurrency_ && !is_empty) wake(); // a slot became free
    return code.value_or(answer_of_nothing);
}

model::judgement model::judge(const json::object& step, const job& as_fetched) {
    judgement v{as_fetched.deferred, -1};
    const auto* error = step.if_contains("error");
    if (v.reason || !error) return v;
    v.reason = std::string{error->as_string()};
    if (!step.contains("unrecoverable")) v.pause = pause_before(as_fetched.opts, as_fetched.made);
    return v;
}

void model::end(const std::string& id, const json::object& step, const job& as_fetched,
                const judgement& verdict, bool& finished) {
    auto& j = jobs_.at(id);
    const auto& reason = verdict.reason;
    const auto pause = verdict.pause;
    const bool is_retried = pause >= 0;
    leave_active(id);
    if (reason) {
        auto stack = as_fetched.stack.value_or(json::array{});
        stack.emplace_back(*reason);
        j.stack = std::move(stack);
        j.reason = *reason;
    }
    if (!reason && step.contains("delay_until")) {
        j.delay = std::max<std::int64_t>(integer_member(step, "delay_until") - now_, 0);
        push_delayed(id, now_ + j.delay);
    } else if (!reason && step.contains("to_wait")) {
        if (j.priority == 0)
            push_waiting(id, true);
        else
            prioritized_[id] = static_cast<double>(j.priority) * 4294967296.0;
        emit("waiting jobId=" + id + " prev=active");
        wake();
    } else if (is_retried) {
        j.made += 1;
        if (pause > 0) {
            j.delay = pause;
            push_delayed(id, now_ + pause);
        } else {
            if (j.priority == 0)
                push_waiting(id, j.opts.contains("lifo"));
            else
                push_prioritized(id);
            emit("waiting jobId=" + id + " prev=active");
            wake();
        }
    } else {
        finished = true;
        j.made += 1;
        j.finished_on = now_;
        const auto made = j.made;
        if (reason) {
            j.deferred.reset();
            keep("failed", id, j.opts.if_contains("removeOnFail"));
            emit("failed failedReason=" + *reason + " jobId=" + id + " prev=active");
            if (made >= integer_member(as_fetched.opts, "attempts"))
                emit("retries-exhausted attemptsMade=" + std::to_string(made) + " jobId=" + id);
        } else {
            const auto* result = step.if_contains("result");
            j.value = canonical(result ? *result : json::value{});
            const auto shown = *j.value;
            keep("completed", id, j.opts.if_contains("removeOnComplete"));
            emit("completed jobId=" + id + " prev=active returnvalue=" + shown);
        }
    }
}

void model::keep(const std::string& target, const std::string& id, const json::value* policy) {
    auto& set = target == "failed" ? failed_ : completed_;
    if (policy && policy->is_bool() && policy->as_bool()) {
        jobs_.erase(id);
        return;
    }
    set[id] = static_cast<double>(now_);
    if (!policy || !policy->is_number()) return;
    // Read once: the policy goes with its job, which may be the oldest.
    const auto most = policy->to_number<std::int64_t>();
    while (static_cast<std::int64_t>(set.size()) > most) {
        const auto oldest = *first(set);
        set.erase(oldest);
        jobs_.erase(oldest);
    }
}

std::string model::stalled_check(const json::object& step) {
    if (was_checked_) return answer_of_nothing;
    was_checked_ = true;
    last_check_ = now_;
    const auto suspects = std::exchange(stalled_, {});
    for (const auto& entry : step.at("in_order").as_array()) { // a set's order is Redis' own
        const std::string id{entry.as_string()};
        if (!suspects.contains(id)) continue;
        if (locks_.contains(id) || std::erase(active_, id) == 0) continue;
        auto& j = jobs_.at(id);
        j.stalls += 1;
        if (j.stalls > 1) j.deferred = "job stalled more than allowable limit";
        push_waiting(id, true);
        wake();
        emit("waiting jobId=" + id + " prev=active");
        emit("stalled jobId=" + id);
    }
    stalled_.insert(active_.begin(), active_.end());
    return answer_of_nothing;
}

std::string model::renew(const json::object& step) {
    json::array lost;
    for (const auto& entry : step.at("ids").as_array()) {
        const std::string id{entry.as_string()};
        const auto lock = locks_.find(id);
        if (lock != locks_.end() && lock->second == text_member(step, "token", "T"))
            stalled_.erase(id);
        else
            lost.emplace_back(id);
    }
    return canonical(lost);
}

} // namespace tiktrend::testing
