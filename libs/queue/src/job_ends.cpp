#include "job_ends.hpp"

#include "script_call.hpp"

namespace tiktrend::queue {

using outcome = worker_options::outcome;

settlement_rules job_ends::rules_for(const running_job& job) const {
    settlement_rules r;
    r.remove_on_complete = options_.remove_on_complete;
    r.remove_on_fail = options_.remove_on_fail;
    r.max_started_attempts = options_.max_started_attempts;
    r.now_ms = options_.clock->now_ms();
    r.is_giving_back = job.cause() == running_job::stop_cause::worker_ends;
    if (job.cause() == running_job::stop_cause::cancelled) r.cancelled_because = job.stop_reason();
    r.custom_backoff = &options_.custom_backoff;
    r.random = options_.random.get();
    return r;
}

std::string refusal_of(const job_record& record, const worker_options& options) {
    if (!record.deferred_failure.empty()) return record.deferred_failure;
    if (options.max_started_attempts > 0 && options.max_started_attempts < record.attempts_started)
        return "job started more than allowable limit";
    return {};
}

void job_ends::end(running_job& job, std::string value, std::exception_ptr error) {
    job.end_processing();
    if (job.has_left()) {
        job.outcome.what = settlement::kind::waiting_children;
        carrier_.drop(job, 0);
        return;
    }
    if (job.cause() == running_job::stop_cause::lock_lost) {
        carrier_.drop(job, static_cast<std::int64_t>(errc::lock_not_found) * -1);
        return;
    }
    const auto rules = rules_for(job);
    if (error)
        job.outcome = settle_error(job.record(), job.options(), std::move(error), rules);
    else if (!value.empty() && !connection_.json.is_json(value))
        job.outcome = settle_failed_attempt(job.record(), job.options(),
                                            "the processor's return value is not JSON", rules);
    else
        job.outcome = settle_value(std::move(value), job.options(), rules);
    if (options_.failure_trace_context && !job.outcome.stack.empty()) // an attempt has failed
        job.outcome.telemetry_metadata = options_.failure_trace_context(job.record(), job.outcome.value);
    carrier_.settle(job);
}

void job_ends::refuse(running_job& job, std::string reason) {
    job.outcome = settle_failure(job.record(), job.options(), std::move(reason), rules_for(job));
    carrier_.settle(job);
}

void job_ends::release(running_job& job) {
    job.outcome.what = settlement::kind::release;
    carrier_.settle(job);
}

bool job_ends::confirm(running_job& job, std::int64_t code) const {
    const auto refused = outcome_of(code);
    if (refused == errc::failed_children && job.outcome.what == settlement::kind::completed) {
        job.outcome = settle_failure(
            job.record(), job.options(),
            "Cannot complete job " + job.id() + " because it has at least one failed child", rules_for(job));
        return false;
    }
    if (refused == errc::pending_dependencies) {
        job.outcome = settle_failed_attempt(job.record(), job.options(),
                                            "Job " + job.id() + " has pending dependencies", rules_for(job));
        return false;
    }
    report(job, refused);
    return true;
}

namespace {

outcome::kind kind_of(const settlement& s) noexcept {
    switch (s.what) {
    case settlement::kind::completed:
        return outcome::completed;
    case settlement::kind::failed:
        return outcome::failed;
    case settlement::kind::wait:
        return outcome::retried;
    case settlement::kind::release:
        return outcome::released;
    case settlement::kind::delayed:
        return s.spends_attempt ? outcome::retried : outcome::delayed;
    case settlement::kind::waiting_children:
        return outcome::waiting_children;
    }
    return outcome::lost;
}

} // namespace

void job_ends::report(const running_job& job, const error_code& refused) const {
    auto what = outcome::lost;
    std::string_view reason;
    std::string refusal_text;
    if (refused) {
        refusal_text = refused.message();
        reason = refusal_text;
        options_.log.warn("job_lost",
                          {{"queue", keys_.base()}, {"job_id", job.id()}, {"error", refusal_text}});
    } else {
        what = kind_of(job.outcome);
        if (what != outcome::completed) reason = job.outcome.value;
    }
    if (options_.on_outcome)
        options_.on_outcome(
            outcome{job.record(), what, reason, std::chrono::steady_clock::now() - job.started()});
}

} // namespace tiktrend::queue
