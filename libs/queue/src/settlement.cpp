#include "settlement.hpp"

#include "backoff.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/error.hpp>

#include <optional>

namespace tiktrend::queue {
namespace {

/// The texts kept so far with the newest at the end, at most as many as the job allows.
std::string stack_with(const job_record& job, const stored_options& options, std::string_view reason) {
    const std::size_t limit = options.stack_trace_limit ? static_cast<std::size_t>(*options.stack_trace_limit)
                                                        : job.stacktrace.size() + 1;
    std::string out = "[";
    const auto append = [&out](std::string_view text) {
        if (out.size() > 1) out += ',';
        append_json_string(out, text);
    };
    if (limit > 0) {
        const auto old = std::min(job.stacktrace.size(), limit - 1);
        for (std::size_t i = job.stacktrace.size() - old; i < job.stacktrace.size(); ++i)
            append(job.stacktrace[i]);
        append(reason);
    }
    return out + "]";
}

/// Empty: this attempt was the last one.
std::optional<std::chrono::milliseconds>
pause_before_retry(const job_record& job, const stored_options& options, const std::string& reason,
                   const settlement_rules& rules, const std::exception_ptr& error) {
    const auto attempt = job.attempts_made + 1;
    if (attempt >= options.attempts) return {};
    if (rules.max_started_attempts > 0 && rules.max_started_attempts <= job.attempts_started) return {};
    if (!options.backoff) return std::chrono::milliseconds{0};
    if (is_builtin_backoff(options.backoff->type))
        return backoff_delay(*options.backoff, attempt, *rules.random);
    if (!rules.custom_backoff || !*rules.custom_backoff) return {}; // a type that nobody here knows
    const auto pause =
        (*rules.custom_backoff)(failed_attempt{attempt, options.backoff->type, reason, error, job});
    if (pause.count() < 0) return {};
    return std::min(pause, max_delay);
}

} // namespace

std::string_view to_string(settlement::kind k) noexcept {
    switch (k) {
    case settlement::kind::completed:
        return "completed";
    case settlement::kind::failed:
        return "failed";
    case settlement::kind::delayed:
        return "delayed";
    case settlement::kind::wait:
        return "wait";
    case settlement::kind::release:
        return "release";
    case settlement::kind::waiting_children:
        return "waiting_children";
    }
    return {};
}

settlement settle_value(std::string value, const stored_options& options, const settlement_rules& rules) {
    settlement s;
    s.value = value.empty() ? "null" : std::move(value);
    s.keep = options.remove_on_complete.value_or(rules.remove_on_complete);
    return s;
}

settlement settle_failure(const job_record& job, const stored_options& options, std::string reason,
                          const settlement_rules& rules) {
    settlement s;
    s.what = settlement::kind::failed;
    s.value = is_valid_utf8(reason) ? std::move(reason) : repair_utf8(reason);
    s.stack = stack_with(job, options, s.value);
    s.keep = options.remove_on_fail.value_or(rules.remove_on_fail);
    s.argument = options.attempts;
    return s;
}

settlement settle_failed_attempt(const job_record& job, const stored_options& options, std::string reason,
                                 const settlement_rules& rules, const std::exception_ptr& error) {
    auto s = settle_failure(job, options, std::move(reason), rules);
    const auto pause = pause_before_retry(job, options, s.value, rules, error);
    if (!pause) return s;
    s.what = pause->count() > 0 ? settlement::kind::delayed : settlement::kind::wait;
    s.argument = pause->count();
    s.lifo = options.lifo;
    return s;
}

settlement settle_error(const job_record& job, const stored_options& options, std::exception_ptr error,
                        const settlement_rules& rules) {
    if (!rules.cancelled_because.empty())
        return settle_failure(job, options, std::string{rules.cancelled_because}, rules);
    settlement released;
    released.what = settlement::kind::release;
    try {
        std::rethrow_exception(error);
    } catch (const released_error&) {
        return released;
    } catch (const rate_limited_error&) {
        released.pauses = true;
        return released;
    } catch (const delayed_error& e) {
        settlement s;
        s.what = settlement::kind::delayed;
        s.argument = std::clamp<std::int64_t>(e.until_ms() - rules.now_ms, 0, max_delay.count());
        s.spends_attempt = false;
        return s;
    } catch (const unrecoverable_error& e) {
        return settle_failure(job, options, e.what(), rules);
    } catch (const system_error& e) {
        if (rules.is_giving_back && is_cancelled(e.code())) return released;
        return settle_failed_attempt(job, options, e.what(), rules, error);
    } catch (...) {
        return settle_failed_attempt(job, options, message_of(error), rules, error);
    }
}

} // namespace tiktrend::queue
