#include "running_job.hpp"

#include "input.hpp"
#include "limits.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

namespace tiktrend::queue {

running_job::running_job(job_record record, stored_options options, std::string token,
                         const job_connection& connection)
    : options_{std::move(options)}, token_{std::move(token)}, connection_{connection} {
    record_ = std::move(record);
}

task<void> running_job::update_progress(std::string json) {
    check_json(connection_.json, "progress", json);
    const std::string_view args[]{id(), json};
    const auto reply = co_await run_script_views(connection_.client, scripts::all().update_progress,
                                                 connection_.key_base, args);
    throw_if_refused(reply.integer(), "progress of job " + id());
    record_.progress = std::move(json);
}

task<void> running_job::update_data(std::string json) {
    check_json(connection_.json, "data", json);
    const std::string_view args[]{id(), json};
    const auto reply =
        co_await run_script_views(connection_.client, scripts::all().update_data, connection_.key_base, args);
    throw_if_refused(reply.integer(), "data of job " + id());
    record_.data = std::move(json);
}

task<void> running_job::log(std::string row) {
    const auto keep = std::to_string(options_.keep_logs.value_or(0));
    const std::string_view args[]{id(), row, keep};
    const auto reply =
        co_await run_script_views(connection_.client, scripts::all().add_log, connection_.key_base, args);
    throw_if_refused(reply.integer(), "log of job " + id());
}

task<child_results> running_job::read_children(std::string key) const {
    const redis::command c{"HGETALL", key};
    const auto reply = co_await connection_.client.exec(c);
    if (reply.is_error())
        throw std::runtime_error("children of job " + id() + ": " + std::string{reply.text()});
    child_results out;
    out.reserve(reply.size() / 2);
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2)
        out.emplace_back(reply[i].text(), reply[i + 1].text());
    co_return out;
}

task<child_results> running_job::children_values() {
    return read_children(connection_.key_base + id() + ":processed");
}

task<child_results> running_job::ignored_children_failures() {
    return read_children(connection_.key_base + id() + ":failed");
}

task<bool> running_job::move_to_waiting_children(std::string child) {
    const auto now = std::to_string(connection_.clock.now_ms());
    const std::string_view args[]{now, id(), token_, child};
    has_left_ = true; // before the call: a renewal that runs meanwhile must not miss the lock
    try {
        const auto reply = co_await run_script_views(
            connection_.client, scripts::all().move_to_waiting_children, connection_.key_base, args);
        has_left_ = reply.integer() == 0;
        throw_if_refused(reply.integer(), "waiting for the children of job " + id());
    } catch (...) {
        has_left_ = false;
        throw;
    }
    co_return has_left_;
}

task<void> running_job::rate_limit(std::chrono::milliseconds duration) {
    return limit_queue(connection_.client, connection_.key_base, duration);
}

task<void> running_job::rate_limit_group(std::chrono::milliseconds duration) {
    if (group().empty()) throw std::logic_error("job " + id() + " has no group");
    return limit_group(connection_.client, connection_.key_base, std::string{group()}, duration,
                       connection_.clock.now_ms());
}

std::string_view running_job::group() const noexcept {
    for (const auto& [field, value] : record_.other)
        if (field == "gid") return value;
    return {};
}

std::stop_token running_job::stop_token() {
    if (!stop_source_) {
        stop_source_.emplace();
        if (should_stop()) stop_source_->request_stop();
    }
    return stop_source_->get_token();
}

void running_job::ask_to_stop(stop_cause cause, std::string reason) {
    if (cause_ == stop_cause::none || cause == stop_cause::lock_lost) {
        cause_ = cause;
        stop_reason_ = reason.empty() ? "cancelled" : std::move(reason);
    }
    if (stop_source_) stop_source_->request_stop();
    if (listener_) listener_->job_asked_to_stop();
    // The last: the processor may end in here.
    if (signal_) signal_->emit(asio::cancellation_type::terminal);
}

void running_job::cancel_by(asio::cancellation_signal& signal) {
    if (!is_processing_) return;
    signal_ = &signal;
    if (should_stop()) signal.emit(asio::cancellation_type::terminal);
}

void running_job::end_processing() noexcept {
    is_processing_ = false;
    signal_ = nullptr;
    listener_ = nullptr;
}

running_job& running_jobs::add(job_record record, stored_options options, std::string token,
                               const job_connection& connection) {
    jobs_.push_back(
        std::make_unique<running_job>(std::move(record), std::move(options), std::move(token), connection));
    jobs_.back()->position_ = jobs_.size() - 1;
    return *jobs_.back();
}

void running_jobs::erase(running_job& job) noexcept {
    // The last takes the place of the one that goes, so that nothing else moves.
    const auto position = job.position_;
    std::swap(jobs_[position], jobs_.back());
    jobs_[position]->position_ = position;
    jobs_.pop_back();
}

} // namespace tiktrend::queue
