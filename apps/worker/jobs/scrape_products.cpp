#include "scrape_products.hpp"

#include <tiktrend/postgres/error.hpp>
#include <tiktrend/sources/input.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/json.hpp>

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

/// The report with the sums of what the image jobs returned, as "images".
std::string with_images(const std::string& report, const queue::child_results& children) {
    namespace json = boost::json;
    auto out = json::parse(report).as_object();
    json::object sums;
    for (const auto& [key, text] : children) {
        error_code bad;
        const auto value = json::parse(text, bad);
        if (bad || !value.is_object()) continue;
        for (const auto& [name, n] : value.as_object())
            if (n.is_int64()) sums[name] = (sums.contains(name) ? sums[name].as_int64() : 0) + n.as_int64();
    }
    out["images"] = std::move(sums);
    return json::serialize(out);
}

} // namespace

/// A definition that was enabled a moment ago may be news to this worker.
task<sources::chosen_source> scrape_products::choose(const job_data& data) const {
    auto chosen = services_.definitions.current()->choose(data.source, data.filters);
    if (chosen && !chosen->source) {
        co_await services_.definitions.refresh();
        chosen = services_.definitions.current()->choose(data.source, data.filters);
    }
    if (!chosen) throw queue::unrecoverable_error{first_mistakes(chosen.error())};
    if (!chosen->source)
        throw queue::unrecoverable_error{fmt::format("data.source: unknown source \"{}\"", data.source)};
    co_return std::move(*chosen);
}

task<scrape_order> scrape_products::order_for(const queue::active_job& job, const job_data& data) const {
    const auto& record = job.record();
    auto chosen = co_await choose(data);
    auto source = chosen.source;
    if (source->retired)
        throw queue::unrecoverable_error{fmt::format("retired: {} since {}: {}", source->id,
                                                     source->retired->since, source->retired->note)};
    auto inputs = sources::validate_input(*source, chosen.filters);
    if (!inputs) throw queue::unrecoverable_error{first_mistakes(inputs.error())};
    scrape_order out;
    out.source = std::move(source);
    out.inputs = std::move(*inputs);
    out.run.job_id = record.id;
    out.run.job_timestamp_ms = record.timestamp_ms;
    out.run.attempt = record.attempts_started;
    out.request_id = data.request_id;
    out.owner = data.owner;
    out.crawl = data.crawl.empty() ? record.id : data.crawl;
    out.depth = data.depth;
    co_return out;
}

/// Once for a job, before it does anything: what has a line in the ledger was counted then.
task<void> scrape_products::count_if_scheduled(const queue::active_job& job, const job_data& data,
                                               const scrape_order& order) const {
    if (!schedule_quota::concerns(job.record(), data)) co_return;
    if (order.run.attempt > 1 &&
        co_await services_.products.resume(order.run.job_id, order.run.job_timestamp_ms))
        co_return;
    co_await quota_.charge(data);
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

/// Best effort, as what it finds is advice.
task<void> scrape_products::compare_with_before(const scrape_order& order, scrape_report& report) const {
    auto fields = report.health();
    if (!fields.empty()) {
        try {
            report.drift =
                co_await within(closing_limit, services_.health.note_run(order.source->id, report.version,
                                                                         std::move(fields)));
        } catch (const system_error& e) {
            services_.log.warn("health_not_noted", {{"job_id", order.run.job_id}, {"error", e.what()}});
        }
    }
    services_.metrics.report(report);
    std::erase_if(report.drift, [](const auto& d) { return d.since_ms == 0; });
    for (const auto& d : report.drift)
        services_.log.warn("field_drift", {{"source", report.source},
                                           {"field", d.field},
                                           {"measure", d.measure},
                                           {"latest", d.latest},
                                           {"usual", d.usual},
                                           {"since_ms", d.since_ms}});
}

/// The scrape is done; the job ends when its images are. Its report waits in its data meanwhile.
task<std::string> scrape_products::end_after_images(queue::active_job& job, job_data data,
                                                    std::string report) const {
    if (!services_.settings.images) co_return report;
    if (data.report.empty()) {
        data.report = std::move(report);
        co_await job.update_data(to_json(data));
    }
    if (co_await job.move_to_waiting_children()) throw queue::waiting_children_error{};
    co_return with_images(data.report, co_await job.children_values());
}

task<std::string> scrape_products::operator()(queue::active_job& job) const {
    const auto started = std::chrono::steady_clock::now();
    auto data = parse_job_data(job.record().data);
    if (!data) throw queue::unrecoverable_error{data.error().reason};
    scrape_order order;
    std::exception_ptr no_order;
    try {
        order = co_await order_for(job, *data);
        co_await count_if_scheduled(job, *data, order);
    } catch (const system_error&) {
        no_order = std::current_exception();
    }
    if (no_order) rethrow_for_queue(no_order, job, services_.clock);
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
            pager pages{co_await asio::this_coro::executor, services_, *room_, order, job, report};
            co_await pages.run(*from, caches_may_be_stale);
            const auto done =
                co_await services_.products.finish_run(order.run, catalog::run_status::succeeded);
            if (!done && done.error() != catalog::errc::already_finished)
                throw queue::released_error{done.error().message()};
            co_await compare_with_before(order, report);
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
    co_return co_await end_after_images(job, std::move(*data), report.result_json(elapsed));
}

} // namespace tiktrend::worker
