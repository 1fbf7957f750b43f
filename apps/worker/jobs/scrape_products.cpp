#include "scrape_products.hpp"

#include "job_data.hpp"

#include <tiktrend/postgres/error.hpp>
#include <tiktrend/sources/input.hpp>

#include <boost/asio/cancellation_state.hpp>

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

constexpr auto closing_limit = 2s;  ///< for the last line of the ledger, which nothing depends on
constexpr auto database_pause = 5s; ///< of a job that found no database
constexpr std::size_t longest_reason = 2000;

std::string first_mistakes(const std::vector<sources::invalid_field>& fields) {
    std::string out;
    for (const auto& f : fields) {
        out += out.empty() ? "data.filters" : "; data.filters";
        for (const auto& step : f.loc)
            out += '.' + step;
        out += ": " + f.msg;
        if (out.size() > longest_reason) break;
    }
    return out.substr(0, longest_reason);
}

/// How the ledger calls an attempt that ended with this exception.
catalog::run_status status_of(const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const queue::released_error&) {
        return catalog::run_status::interrupted;
    } catch (const queue::delayed_error&) {
        return catalog::run_status::interrupted;
    } catch (const system_error& e) {
        return is_cancelled(e.code()) ? catalog::run_status::interrupted : catalog::run_status::failed;
    } catch (...) {
        return catalog::run_status::failed;
    }
}

/// A database that is away is no fault of the job: it waits without spending an attempt.
[[noreturn]] void rethrow_for_queue(const std::exception_ptr& why, const queue::active_job& job,
                                    const wall_clock& clock) {
    try {
        std::rethrow_exception(why);
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw queue::released_error{std::string{job.stop_reason()}};
        if (e.code() == errc::stopped) throw queue::released_error{"the worker stops"};
        if (!postgres::is_unavailable(e.code())) throw;
        throw queue::delayed_error{clock.now_ms() + std::chrono::milliseconds{database_pause}.count(),
                                   fmt::format("the database is not available: {}", e.what())};
    }
}

} // namespace

scrape_order scrape_products::order_for(const queue::active_job& job) const {
    const auto& record = job.record();
    auto data = parse_job_data(record.data);
    if (!data) throw queue::unrecoverable_error{data.error().reason};
    auto chosen = services_.definitions.choose(data->source, data->filters);
    if (!chosen) throw queue::unrecoverable_error{first_mistakes(chosen.error())};
    auto source = chosen->source;
    if (!source)
        throw queue::unrecoverable_error{fmt::format("data.source: unknown source \"{}\"", data->source)};
    if (source->retired)
        throw queue::unrecoverable_error{fmt::format("retired: {} since {}: {}", source->id,
                                                     source->retired->since, source->retired->note)};
    auto inputs = sources::validate_input(*source, chosen->filters);
    if (!inputs) throw queue::unrecoverable_error{first_mistakes(inputs.error())};
    catalog::run_key run;
    run.job_id = record.id;
    run.job_timestamp_ms = record.timestamp_ms;
    run.attempt = record.attempts_started;
    return {std::move(source), std::move(*inputs), std::move(run)};
}

/// Best effort: a ledger without this line is as correct, only less telling.
task<void> scrape_products::close_run(const catalog::run_key& run, std::exception_ptr why) const {
    try {
        const auto status = status_of(why);
        co_await within(closing_limit, services_.products.finish_run(run, status, message_of(why)));
    } catch (const system_error& e) {
        services_.log.warn("run_not_closed", {{"job_id", run.job_id}, {"error", e.what()}});
    }
}

task<std::string> scrape_products::operator()(queue::active_job& job) const {
    const auto started = std::chrono::steady_clock::now();
    const auto order = order_for(job);
    scrape_report report;
    report.source = order.source->id;
    report.version = order.source->version;
    std::exception_ptr error;
    try {
        // An attempt that closed its line told the caches everything; one that did not may have died in
        // between.
        bool caches_may_be_stale = false;
        if (order.run.attempt > 1) {
            const auto before =
                co_await services_.products.resume(order.run.job_id, order.run.job_timestamp_ms);
            caches_may_be_stale =
                before && before->pages > 0 && before->status == catalog::run_status::running;
        }
        const auto from = co_await services_.products.start_run(order.run, order.source->id);
        if (!from) throw queue::released_error{from.error().message()}; // a newer attempt has the job
        if (from->status == catalog::run_status::succeeded) {
            report.totals = *from;
            report.resumed_at = from->pages;
            report.end = "done_before";
        } else {
            pager pages{services_, order, job, report};
            co_await pages.run(*from, caches_may_be_stale);
            const auto done =
                co_await services_.products.finish_run(order.run, catalog::run_status::succeeded);
            if (!done && done.error() != catalog::errc::already_finished)
                throw queue::released_error{done.error().message()};
        }
    } catch (...) {
        error = std::current_exception();
    }
    if (error) {
        // The attempt may end because it was cancelled; its last line is written all the same.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await close_run(order.run, error);
        co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
        rethrow_for_queue(error, job, services_.clock);
    }
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    services_.log.info("scrape_done", {{"job_id", job.id()},
                                       {"source", report.source},
                                       {"pages", report.totals.pages},
                                       {"products_found", report.totals.products_found},
                                       {"products_changed", report.totals.products_changed},
                                       {"requests", report.requests},
                                       {"bytes", report.bytes},
                                       {"duration_ms", elapsed.count()}});
    co_return report.result_json(elapsed);
}

} // namespace tiktrend::worker
