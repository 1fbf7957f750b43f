#include "running_job.hpp"

#include "script_call.hpp"
#include "scripts.hpp"

namespace tiktrend::queue {

running_job::running_job(job_record record, stored_options options, std::string token,
                         const job_connection& connection)
    : options_{std::move(options)}, token_{std::move(token)}, connection_{connection} {
    record_ = std::move(record);
}

task<void> running_job::update_progress(std::string json) {
    if (!connection_.json.is_json(json)) throw system_error(errc::invalid_json, "progress of job " + id());
    const std::string_view args[]{id(), json};
    const auto reply = co_await run_script_views(connection_.client, scripts::all().update_progress,
                                                 connection_.key_base, args);
    throw_if_refused(reply.integer(), "progress of job " + id());
    record_.progress = std::move(json);
}

task<void> running_job::update_data(std::string json) {
    if (!connection_.json.is_json(json)) throw system_error(errc::invalid_json, "data of job " + id());
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

void running_job::ask_to_stop(stop_cause cause, std::string reason) {
    if (cause_ == stop_cause::none || cause == stop_cause::lock_lost) {
        cause_ = cause;
        stop_reason_ = std::move(reason);
    }
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
