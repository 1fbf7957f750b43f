#include "pager.hpp"

#include "follow_jobs.hpp"
#include "image_jobs.hpp"
#include "postpone.hpp"
#include "product_of.hpp"
#include "retry_policy.hpp"

#include <tiktrend/postgres/error.hpp>
#include <tiktrend/sources/request.hpp>

#include <boost/asio/cancellation_state.hpp>

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::string_view end_cursor = "end"; ///< saved with the last page; stored, do not change
constexpr auto commit_limit = 12s;             ///< one try, waiting for a connection included
constexpr int commit_tries = 3;
constexpr auto database_pause = 5s; ///< of a job whose page cannot be committed now

/// The page after `next`, which comes after page `number`, as far as its address goes. Nothing if only `next`
/// itself can tell.
std::optional<sources::page_state> after(std::int64_t number, const sources::page_state& next) {
    if (!next.cursor.empty() || !next.url.empty()) return {};
    sources::page_state out;
    out.number = next.number + (next.number - number);
    out.index = next.index + 1;
    return out;
}

} // namespace

pager::pager(asio::any_io_executor executor, scrape_services& services, page_room& room,
             const scrape_order& order, queue::active_job& job, scrape_report& report)
    : services_{services}, order_{order}, job_{job}, report_{report},
      limits_{order.source->limits.capped_by(services.settings.limits)},
      fetcher_{services, room, order, job, report, limits_},
      deadline_{std::chrono::steady_clock::now() + limits_.deadline}, ahead_{executor}, progress_{executor} {}

void pager::stop_if_asked() const {
    if (job_.should_stop()) throw queue::released_error{std::string{job_.stop_reason()}};
    if (std::chrono::steady_clock::now() >= deadline_)
        throw std::runtime_error(
            fmt::format("timeout: not done within {} s", limits_.deadline.count() / 1000));
}

/// Asks until there is a page to commit.
task<read_page> pager::next_page(const sources::page_state& state) {
    retry_policy policy{services_.settings.retries, services_.random};
    for (;;) {
        stop_if_asked();
        std::string trouble;
        auto got = co_await fetcher_.ask(state, trouble);
        retry_decision decision;
        if (!got) {
            services_.metrics.page(order_.source->id, "no_response");
            ++report_.outcomes["no_response"];
            decision = policy.on_transient({});
        } else {
            auto& result = got->page.result;
            services_.metrics.page(order_.source->id, sources::name_of(result.outcome));
            report_.add(result);
            switch (sources::reaction_to(result.outcome)) {
            case sources::reaction::proceed:
                co_return std::move(got->page);
            case sources::reaction::wait:
                ++report_.rate_limited;
                decision = policy.on_rate_limited(got->retry_after);
                services_.polite.pause(got->host, decision.after); // for every job of this process
                break;
            case sources::reaction::retry:
                decision = policy.on_transient(got->retry_after);
                break;
            case sources::reaction::cool_down:
            case sources::reaction::give_up:
                co_await keep_sample(std::move(got->sample));
                throw queue::unrecoverable_error{result.message};
            }
            trouble = result.message;
        }
        switch (decision.what) {
        case retry_decision::action::give_up:
            throw std::runtime_error(fmt::format("{}; {} tries", trouble, policy.failed_tries()));
        case retry_decision::action::postpone:
            postpone(job_, services_.clock, decision.after, trouble);
        case retry_decision::action::wait:
            break;
        }
        ++report_.retries;
        services_.log.info("page_retry", {{"job_id", job_.id()},
                                          {"source", order_.source->id},
                                          {"page", state.number},
                                          {"wait_ms", decision.after.count()},
                                          {"error", trouble}});
        co_await sleep_for(decision.after);
    }
}

/// In the job's log. Best effort: the reason alone is worth the failure.
task<void> pager::keep_sample(std::string sample) {
    try {
        co_await job_.log(std::move(sample));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        services_.log.warn("sample_not_kept", {{"job_id", job_.id()}, {"error", e.what()}});
    }
}

/// The commit may have happened although its answer was lost; the ledger notices the same page (is_replay),
/// so it is simply handed in again.
task<catalog::committed_page> pager::commit_surely(const catalog::scraped_page& page) {
    std::string why;
    for (int n = 1; n <= commit_tries; ++n) {
        if (n > 1) co_await sleep_for(250ms * n);
        try {
            auto done = co_await within(
                commit_limit, services_.products.commit_page(order_.run, page, [this] { start_ahead(); }));
            if (done) co_return std::move(*done);
            if (done.error() == catalog::errc::already_finished) {
                is_finished_elsewhere_ = true;
                co_return catalog::committed_page{};
            }
            throw queue::released_error{done.error().message()};
        } catch (const system_error& e) {
            if (!postgres::is_unavailable(e.code()) && e.code() != errc::timed_out) throw;
            why = e.what();
        }
        if (job_.should_stop()) throw queue::released_error{std::string{job_.stop_reason()}};
    }
    postpone(job_, services_.clock, database_pause, "the database is not available: " + why);
}

/// Before the page's commit: a worker that dies in between asks for the page again, and the jobs keep their
/// ids.
task<void> pager::hand_on(const read_page& page) {
    if (page.result.follow.empty()) co_return;
    auto jobs = follow_jobs(page.result.follow, order_, *services_.definitions.current(),
                            services_.settings.min_delay);
    report_.links_left += static_cast<std::int64_t>(page.result.follow.size() - jobs.size());
    for (const auto& added : co_await services_.jobs.add_bulk(std::move(jobs)))
        ++(added ? report_.links_followed : report_.links_left);
}

/// After the commit, when the products have ids. Best effort: what is not mirrored now is with the next
/// change.
task<void> pager::order_images(const catalog::scraped_page& page, const catalog::committed_page& done) {
    if (!services_.settings.images) co_return;
    auto jobs = image_jobs(page, done.changed, order_, services_.jobs);
    if (jobs.empty()) co_return;
    try {
        for (const auto& added : co_await services_.jobs.add_bulk(std::move(jobs)))
            if (added) ++report_.image_jobs;
    } catch (const system_error& e) {
        services_.log.warn("images_not_ordered", {{"job_id", job_.id()}, {"error", e.what()}});
    }
}

task<void> pager::commit(read_page page, std::int64_t number, std::optional<sources::page_state>& next) {
    co_await hand_on(page);
    catalog::scraped_page entry;
    entry.number = report_.totals.pages + 1;
    entry.cursor = next ? next->to_json() : std::string{end_cursor};
    entry.found = page.found;
    entry.cache = std::move(page.memory);
    if (next && may_ask_ahead(page)) {
        next_ahead_ = &*next;
        if (const auto later = after(number, *next)) entry.next_url = fetcher_.conditional_url(*later);
    } else if (next) {
        entry.next_url = fetcher_.conditional_url(*next);
    }
    entry.products.reserve(page.result.records.size());
    for (auto& r : page.result.records)
        entry.products.push_back(product_of(std::move(r), *order_.source, page.scraped_at_ms));

    // From here to the cache the page is finished even if the worker is told to end: a commit without its
    // invalidation would leave caches wrong for as long as they live.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    std::exception_ptr error;
    try {
        auto done = co_await commit_surely(entry);
        if (!is_finished_elsewhere_) {
            report_.totals = done.totals;
            if (!done.is_replay) fetcher_.known_ahead(std::move(entry.next_url), std::move(done.next_cached));
            services_.metrics.products(order_.source->id, entry.found,
                                       static_cast<std::int64_t>(done.changed.size()));
            if (done.is_replay)
                co_await services_.caches.unknown_changed();
            else if (!done.changed.empty())
                co_await services_.caches.changed(done.changed, done.lsn);
            co_await order_images(entry, done);
        }
    } catch (...) {
        error = std::current_exception();
    }
    next_ahead_ = nullptr;
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (error) std::rethrow_exception(error);
}

bool pager::may_ask_ahead(const read_page& page) const {
    return !job_.should_stop() &&
           end_by_operator_limits(report_.totals.pages + 1, report_.totals.products_found + page.found)
               .empty();
}

void pager::start_ahead() {
    if (!next_ahead_ || std::exchange(is_ahead_, true)) return; // the transaction is tried again
    ahead_.spawn("page ahead", ask_ahead());
}

task<void> pager::ask_ahead() {
    const auto state = std::move(*next_ahead_); // its number stays, which is all that the loop needs
    try {
        page_ahead_ = co_await next_page(state);
    } catch (...) {
        error_ahead_ = std::current_exception();
    }
}

task<read_page> pager::take_ahead() {
    co_await ahead_.join();
    is_ahead_ = false;
    if (const auto error = std::exchange(error_ahead_, nullptr)) std::rethrow_exception(error);
    auto page = std::move(*page_ahead_);
    page_ahead_.reset();
    co_return page;
}

void pager::save_progress() {
    is_progress_new_ = true;
    if (progress_.size() == 0) progress_.spawn("progress", tell_progress());
}

task<void> pager::tell_progress() {
    while (std::exchange(is_progress_new_, false)) {
        try {
            co_await job_.update_progress(report_.progress_json());
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            // The page is safe; if the job itself is gone, its lock tells.
            services_.log.warn("progress_not_saved", {{"job_id", job_.id()}, {"error", e.what()}});
        } catch (...) {
            progress_error_ = std::current_exception();
        }
    }
}

task<void> pager::end_company(bool is_good) {
    ahead_.cancel();
    if (!is_good) progress_.cancel();
    co_await ahead_.join();
    co_await progress_.join();
}

std::string pager::end_by_operator_limits(std::int64_t pages, std::int64_t products) const {
    if (pages >= limits_.max_pages) return "max_pages";
    if (products >= limits_.max_items) return "max_items";
    return {};
}

task<void> pager::run(const catalog::run_state& from, bool caches_may_be_stale) {
    report_.totals = from;
    report_.resumed_at = from.pages;
    if (caches_may_be_stale) co_await services_.caches.unknown_changed();
    std::exception_ptr error;
    try {
        co_await walk(from);
    } catch (...) {
        error = std::current_exception();
    }
    // A coroutine that is cancelled could not even begin to wait.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await end_company(!error);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (!error) error = progress_error_;
    if (error) std::rethrow_exception(error);
}

task<void> pager::walk(const catalog::run_state& from) {
    if (from.cursor == end_cursor) {
        report_.end = "resumed_after_the_last_page";
        co_return;
    }
    auto state = sources::first_page(*order_.source);
    if (!from.cursor.empty()) {
        auto saved = sources::page_state::from_json(from.cursor);
        if (!saved)
            throw queue::unrecoverable_error{"the saved cursor cannot be read: " +
                                             from.cursor.substr(0, 100)};
        state = std::move(*saved);
    }
    co_await walk_from(std::move(state));
}

task<void> pager::walk_from(sources::page_state state) {
    for (;;) {
        stop_if_asked();
        auto page = is_ahead_ ? co_await take_ahead() : co_await next_page(state);
        auto next = std::exchange(page.result.next, std::nullopt);
        const auto end = page.result.end;
        if (page.result.outcome == sources::outcome::not_modified) ++report_.not_modified;
        co_await commit(std::move(page), state.number, next);
        if (is_finished_elsewhere_) co_return;
        report_.end = next ? end_by_operator_limits(report_.totals.pages, report_.totals.products_found)
                           : std::string{sources::name_of(end)};
        save_progress();
        if (!report_.end.empty()) co_return;
        state = std::move(*next);
    }
}

} // namespace tiktrend::worker
