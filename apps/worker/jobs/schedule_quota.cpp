#include "schedule_quota.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/queue/worker.hpp>

#include <fmt/format.h>

#include <charconv>

namespace tiktrend::worker {
namespace {

constexpr std::string_view user_prefix = "user:";
constexpr std::string_view foreign_key_violation = "23503";
constexpr std::chrono::milliseconds cache_patience{500}; ///< the answer it is about lives five minutes anyway

std::optional<std::int64_t> user_of(std::string_view owner) {
    if (!owner.starts_with(user_prefix)) return std::nullopt;
    owner.remove_prefix(user_prefix.size());
    std::int64_t id = 0;
    const auto [end, ec] = std::from_chars(owner.data(), owner.data() + owner.size(), id);
    if (ec != std::errc{} || end != owner.data() + owner.size()) return std::nullopt;
    return id;
}

} // namespace

schedule_quota::schedule_quota(postgres::router& database, redis::client& cache,
                               std::optional<std::int64_t> standard, observe::registry& metrics, logger log,
                               const wall_clock& clock)
    : store_{database}, cache_{cache}, standard_{standard},
      refused_{
          metrics.make_counter("schedule_quota_refusals_total",
                               "Jobs of schedules that failed since the quota of their user was used up.")},
      log_{std::move(log)}, clock_{clock} {}

bool schedule_quota::concerns(const queue::job_record& job, const job_data& data) {
    return !job.scheduler_id.empty() && user_of(data.owner);
}

task<void> schedule_quota::charge(const job_data& data) {
    const catalog::usage_key key{user_of(data.owner).value(), catalog::usage_kind::scrapes,
                                 catalog::usage_day_of(clock_.now_ms())};
    catalog::usage_store::taken t;
    try {
        t = co_await store_.take(key, 1, data.is_unmetered ? std::nullopt : standard_);
    } catch (const postgres::server_error& e) {
        if (e.sqlstate() != foreign_key_violation) throw;
        throw queue::unrecoverable_error{"data.owner: there is no such user"};
    }
    co_await forget_answer(key, t.lsn);
    if (t.granted > 0 || data.is_unmetered) co_return;
    refused_.add();
    throw queue::unrecoverable_error{
        fmt::format("quota_exceeded: the owner's daily quota of {} scrapes is used up until midnight UTC",
                    t.state.limit.value_or(0))};
}

task<void> schedule_quota::forget_answer(catalog::usage_key key, std::uint64_t lsn) {
    try {
        std::vector<std::string> ids(1, catalog::usage_answer_id(key.user_id, key.day));
        co_await within(cache_patience, cache_.invalidate("quota", ids, lsn, false));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        log_.debug("quota_answers_not_forgotten", {{"error", e.what()}});
    }
}

} // namespace tiktrend::worker
