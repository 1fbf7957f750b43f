#include "model.hpp"

#include "step_members.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tiktrend::testing {

using interop::canonical;

std::string model::carry_out(const json::object& step) {
    const std::string verb{step.at("do").as_string()};
    if (verb == "clock") now_ = integer_member(step, "at");
    if (verb == "add") return add(step);
    if (verb == "fetch") return fetch(text_member(step, "token", "T"));
    if (verb == "finish") return finish(step);
    if (verb == "stalled_check") return stalled_check(step);
    if (verb == "renew") return renew(step);
    if (verb == "promote") return promote(id_member(step));
    if (verb == "retry") return retry(id_member(step), text_member(step, "state", "failed"));
    if (verb == "remove") return remove(id_member(step));
    if (verb == "progress") return progress(id_member(step), step.at("value"));
    if (verb == "pause") pause();
    if (verb == "resume") resume();
    if (verb == "lose_lock") locks_.erase(id_member(step)); // the suite does it to Redis
    if (verb == "forget_check") was_checked_ = false;       // the interval is over
    if (verb == "pop_marker") {                             // a worker that waits takes the first
        if (!std::exchange(marker_, false)) marker_at_.reset();
    }
    if (verb == "set_concurrency_by_hand") concurrency_ = integer_member(step, "concurrency");
    return answer_of_nothing;
}

std::vector<std::string> model::held() const {
    std::vector<std::string> out;
    for (const auto& [handle, job] : held_)
        out.push_back(handle);
    return out;
}

int model::places(const std::string& id) const {
    int n = static_cast<int>(std::count(wait_.begin(), wait_.end(), id) +
                             std::count(active_.begin(), active_.end(), id));
    for (const auto* set : {&prioritized_, &delayed_, &completed_, &failed_})
        n += set->contains(id) ? 1 : 0;
    return n;
}

std::optional<std::string> model::first(const sorted_set& set) {
    const auto least = std::min_element(set.begin(), set.end(), [](const auto& a, const auto& b) {
        return std::tie(a.second, a.first) < std::tie(b.second, b.first);
    });
    return least == set.end() ? std::nullopt : std::optional{least->first};
}

// --- shared steps
// ------------------------------------------------------------------------------------------------

bool model::is_closed() const {
    return is_paused_ || (concurrency_ && static_cast<std::int64_t>(active_.size()) >= *concurrency_);
}

void model::wake() {
    if (!is_closed()) marker_ = true;
}

void model::wake_at() {
    if (const auto id = first(delayed_)) marker_at_ = delayed_.at(*id) / 4096;
}

void model::push_delayed(const std::string& id, std::int64_t at) {
    const double low = static_cast<double>(at) * 4096, high = low + 4095;
    double score = low;
    for (const auto& [other, taken] : delayed_)
        if (taken >= low && taken <= high) score = std::max(score, std::min(taken + 1, high));
    delayed_[id] = score;
    emit("delayed delay=" + std::to_string(at) + " jobId=" + id);
}

void model::push_prioritized(const std::string& id) {
    order_ = order_.value_or(0) + 1;
    prioritized_[id] =
        static_cast<double>(jobs_.at(id).priority) * 4294967296.0 + static_cast<double>(*order_);
}

void model::push_waiting(const std::string& id, bool front) {
    if (front)
        wait_.push_back(id);
    else
        wait_.push_front(id);
}

void model::promote_due() {
    bool any = false;
    for (auto id = first(delayed_); id && delayed_.at(*id) <= static_cast<double>(now_ + 1) * 4096 - 1;
         id = first(delayed_)) {
        delayed_.erase(*id);
        auto& j = jobs_.at(*id);
        if (j.priority == 0)
            push_waiting(*id, false);
        else
            push_prioritized(*id);
        emit("waiting jobId=" + *id + " prev=delayed");
        j.delay = 0;
        any = true;
    }
    if (any) wake();
}

// --- producers
// ---------------------------------------------------------------------------------------------------

std::string model::add(const json::object& step) {
    id_ = id_.value_or(0) + 1;
    auto opts = step.at("opts").as_object();
    const auto id = text_member(opts, "jobId", std::to_string(*id_));
    if (jobs_.contains(id)) {
        emit("duplicated jobId=" + id);
        return json::serialize(json::value(id));
    }
    if (std::find(known_.begin(), known_.end(), id) == known_.end()) known_.push_back(id);
    job j;
    j.name = "job";
    j.data = "{}";
    j.timestamp = now_;
    j.delay = integer_member(opts, "delay");
    j.priority = integer_member(opts, "priority");
    const bool front = opts.contains("lifo");
    if (!opts.contains("attempts")) opts["attempts"] = 0;
    j.opts = std::move(opts);
    jobs_[id] = j;
    emit("added jobId=" + id + " name=job");
    if (j.delay > 0) {
        push_delayed(id, now_ + j.delay);
        wake_at();
    } else {
        if (j.priority > 0)
            push_prioritized(id);
        else
            push_waiting(id, front);
        wake();
        emit("waiting jobId=" + id);
    }
    return json::serialize(json::value(id));
}

void model::pause() {
    is_paused_ = true;
    marker_ = false;
    marker_at_.reset();
    emit("paused");
}

void model::resume() {
    is_paused_ = false;
    if (!wait_.empty() || !prioritized_.empty())
        marker_ = true;
    else
        wake_at();
    emit("resumed");
}

std::string model::promote(const std::string& id) {
    if (!jobs_.contains(id)) return "refused -1";
    if (delayed_.erase(id) == 0) return "refused -3";
    if (jobs_.at(id).priority == 0)
        push_waiting(id, false);
    else
        push_prioritized(id);
    jobs_.at(id).delay = 0;
    wake();
    emit("waiting jobId=" + id + " prev=delayed");
    return answer_of_nothing;
}

std::string model::retry(const std::string& id, const std::string& state) {
    if (!jobs_.contains(id)) return "refused -1";
    if ((state == "completed" ? completed_ : failed_).erase(id) == 0) return "refused -3";
    auto& j = jobs_.at(id);
    j.finished_on.reset();
    j.processed_on.reset();
    (state == "completed" ? j.value : j.reason).reset();
    if (j.priority == 0)
        push_waiting(id, j.opts.contains("lifo"));
    else
        push_prioritized(id);
    emit("waiting jobId=" + id + " prev=" + state);
    wake();
    return answer_of_nothing;
}

std::string model::remove(const std::string& id) {
    if (!jobs_.contains(id)) return "refused -1";
    if (locks_.contains(id)) return "0";
    std::string place = "unknown";
    const std::pair<const char*, sorted_set*> sets[]{{"completed", &completed_},
                                                     {"delayed", &delayed_},
                                                     {"failed", &failed_},
                                                     {"prioritized", &prioritized_}};
    for (const auto& [name, set] : sets)
        if (set->erase(id) > 0) place = name;
    if (std::erase(wait_, id) > 0) place = "wait";
    if (std::erase(active_, id) > 0) place = "active";
    jobs_.erase(id);
    emit("removed jobId=" + id + " prev=" + place);
    return "1";
}

std::string model::progress(const std::string& id, const json::value& value) {
    if (!jobs_.contains(id)) return "refused -1";
    jobs_.at(id).progress = value;
    emit("progress data=" + canonical(value) + " jobId=" + id);
    return answer_of_nothing;
}

} // namespace tiktrend::testing
