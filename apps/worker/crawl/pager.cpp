#include "pager.hpp"

#include "page_memory.hpp"
#include "product_of.hpp"
#include "retry_after.hpp"
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
constexpr int max_postponements = 100;         ///< then the attempt fails: a host that says "later" for ever
constexpr milliseconds longest_crawl_delay = 60s; ///< of a robots.txt that is obeyed by waiting
constexpr auto commit_limit = 12s;                ///< one try, waiting for a connection included
constexpr int commit_tries = 3;
constexpr auto database_pause = 5s; ///< of a job whose page cannot be committed now

/// The operator's secrets for one source, by their name within it.
std::map<std::string, std::string, std::less<>> secrets_of(const config& settings,
                                                           const std::string& source) {
    std::map<std::string, std::string, std::less<>> out;
    const auto prefix = source + '.';
    for (const auto& [name, value] : settings.source_secrets)
        if (name.starts_with(prefix)) out.emplace(name.substr(prefix.size()), value);
    return out;
}

std::string failure_text(std::string_view what, const std::string& message) {
    return message.empty() ? std::string{what} : fmt::format("{}: {}", what, message);
}

} // namespace

pager::pager(scrape_services& services, const scrape_order& order, queue::active_job& job,
             scrape_report& report)
    : services_{services}, order_{order}, job_{job}, report_{report},
      limits_{order.source->limits.capped_by(services.settings.limits)},
      deadline_{std::chrono::steady_clock::now() + limits_.deadline} {
    context_.secrets = secrets_of(services.settings, order.source->id);
    context_.plain_http_hosts = services.settings.plain_http_hosts;
}

void pager::stop_if_asked() const {
    if (job_.should_stop()) throw queue::released_error{std::string{job_.stop_reason()}};
    if (std::chrono::steady_clock::now() >= deadline_)
        throw std::runtime_error(
            fmt::format("timeout: not done within {} s", limits_.deadline.count() / 1000));
}

void pager::postpone(milliseconds after, const std::string& why) const {
    const auto& r = job_.record();
    if (r.attempts_started - r.attempts_made > max_postponements)
        throw std::runtime_error(fmt::format("{}; postponed {} times", why, max_postponements));
    throw queue::delayed_error{services_.clock.now_ms() + after.count(), why};
}

sources::request_spec pager::render(const sources::page_state& state) const {
    auto spec = sources::render_request(*order_.source, order_.inputs, context_, state);
    if (spec) return std::move(*spec);
    const auto& e = spec.error();
    const auto what = e.code == sources::render_errc::missing_secret ? "login_required" : "bad_url";
    throw queue::unrecoverable_error{failure_text(what, e.message)};
}

task<host_rules> pager::rules_for(const fetch::url& where) {
    const auto& asked = order_.source->politeness;
    host_rules rules;
    rules.delay = std::max(asked.delay, services_.settings.min_delay);
    rules.concurrency = asked.concurrency;
    if (!asked.obey_robots || !services_.settings.obey_robots) co_return rules;
    const auto verdict =
        co_await services_.robots.check(where, rules, services_.settings.retries.wait_in_place);
    switch (verdict.what) {
    case robots_verdict::kind::allowed:
        break;
    case robots_verdict::kind::disallowed:
        services_.metrics.page(order_.source->id, "robots_disallowed");
        throw queue::unrecoverable_error{failure_text("robots_disallowed", verdict.reason)};
    case robots_verdict::kind::unavailable:
        services_.metrics.page(order_.source->id, "robots_unavailable");
        postpone(verdict.retry_after, failure_text("robots_unavailable", verdict.reason));
    }
    if (verdict.crawl_delay > longest_crawl_delay)
        throw queue::unrecoverable_error{fmt::format(
            "crawl_delay_too_long: {} asks for {} s between two requests, {} s are "
            "the most that a scrape waits",
            where.origin(), verdict.crawl_delay.count() / 1000, longest_crawl_delay.count() / 1000)};
    rules.delay = std::max(rules.delay, verdict.crawl_delay);
    if (verdict.crawl_delay > 0ms) rules.concurrency = 1;
    co_return rules;
}

/// A redirect may lead to another host, whose robots.txt has a say of its own.
task<bool> pager::may_follow(const fetch::url& next) {
    co_await rules_for(next);
    co_return true;
}

/// One request under the host's rules. An error is a failure that another try may mend.
task<result<fetch::response, std::string>> pager::send(fetch::request request, const fetch::url& where) {
    const auto rules = co_await rules_for(where);
    request.may_follow = [this](const fetch::url& next) { return may_follow(next); };
    const auto host = where.origin();
    auto permit = co_await services_.polite.enter(host, rules, services_.settings.retries.wait_in_place);
    if (!permit) postpone(permit.error(), fmt::format("rate_limited: {} is left alone for now", host));

    ++report_.requests;
    auto out = co_await services_.fetcher.fetch(request);
    host_visit visit;
    if (out) {
        visit.first_byte = std::chrono::duration_cast<milliseconds>(out->first_byte_time);
        visit.is_overloaded = out->status == 429 || out->status == 503;
        permit->report(visit);
        co_return std::move(*out);
    }
    const auto& f = out.error();
    visit.is_overloaded = f.kind == fetch::failure_kind::timeout;
    permit->report(visit);
    if (f.kind == fetch::failure_kind::cancelled) throw queue::released_error{f.message()};
    if (f.cls == fetch::failure_class::permanent) throw queue::unrecoverable_error{f.message()};
    report_.bytes += static_cast<std::int64_t>(f.bytes_received);
    co_return f.message();
}

/// One request and what its answer means. Nothing: no response, and `trouble` says why; another try may help.
task<std::optional<pager::answer>> pager::ask(const sources::request_spec& spec,
                                              const sources::page_state& state, std::string& trouble) {
    const auto& source = *order_.source;
    std::optional<page_validators> validators;
    if (spec.conditional)
        if (const auto cached = co_await services_.pages.find(spec.url))
            validators = validators_of(*cached, source, order_.inputs);

    fetch::request request{spec.url};
    request.method = spec.method;
    request.body = spec.body;
    for (const auto& h : spec.headers)
        request.headers.push_back({h.name, h.value, h.is_secret});
    if (validators && !validators->etag.empty())
        request.headers.push_back({"if-none-match", validators->etag});
    if (validators && !validators->last_modified.empty())
        request.headers.push_back({"if-modified-since", validators->last_modified});
    for (const auto& [name, value] : context_.secrets)
        request.secrets.push_back(value);
    request.max_body_bytes = static_cast<std::size_t>(limits_.max_bytes);
    if (!source.hosts.empty())
        request.allow_host = [&source](std::string_view host) {
            return sources::is_host_allowed(source.hosts, host);
        };

    const auto where = fetch::parse_url(spec.url);
    if (!where) throw queue::unrecoverable_error{failure_text(fetch::to_string(where.error()), spec.url)};
    const auto host = where->origin();
    auto out = co_await send(std::move(request), *where);
    if (!out) {
        services_.log.info(
            "page_failed",
            {{"job_id", job_.id()}, {"source", source.id}, {"page", state.number}, {"error", out.error()}});
        trouble = out.error();
        co_return std::nullopt;
    }

    auto& response = *out;
    report_.bytes += static_cast<std::int64_t>(response.bytes_received);
    report_.bytes_decoded += static_cast<std::int64_t>(response.body.size());
    sources::response_view view;
    view.status = response.status;
    view.content_type = response.header_value("content-type");
    view.url = response.url;
    if (!response.redirects.empty()) view.requested_url = response.redirects.front();
    view.location = response.header_value("location");
    view.body = response.body;
    for (const auto& h : response.headers)
        view.headers.emplace_back(h.name, h.value);
    if (validators) view.had_next = validators->had_next;

    answer a;
    a.page.scraped_at_ms = services_.clock.now_ms();
    a.retry_after = parse_retry_after(response.header_value("retry-after"), a.page.scraped_at_ms,
                                      services_.settings.retries.retry_after_cap);
    a.page.url = spec.url;
    a.host = host;
    // Before the reader may write into the body.
    const bool is_full_page = response.status == 200 && spec.conditional;
    auto memory = is_full_page ? remember(spec.url, response, source, order_.inputs, a.page.scraped_at_ms)
                               : std::nullopt;
    a.page.result = reader_.read(source, order_.inputs, state, view);
    auto& result = a.page.result;
    if (result.outcome == sources::outcome::not_modified) {
        a.page.found = validators ? validators->found : 0;
    } else {
        a.page.found = static_cast<std::int64_t>(result.records.size());
        if (memory) {
            complete(*memory, a.page.found, result.next.has_value());
            a.page.memory = std::move(memory);
        }
    }
    // A 503 that names a time is a server asking for patience, which is what a 429 is.
    if (result.outcome == sources::outcome::transient && response.status == 503 && a.retry_after)
        result.outcome = sources::outcome::rate_limited;
    if (sources::reaction_to(result.outcome) == sources::reaction::cool_down)
        services_.polite.pause(host, services_.settings.retries.cool_down);
    co_return a;
}

/// Asks until there is a page to commit.
task<pager::read_page> pager::next_page(const sources::page_state& state) {
    retry_policy policy{services_.settings.retries, services_.random};
    for (;;) {
        stop_if_asked();
        std::string trouble;
        const auto spec = render(state);
        auto got = co_await ask(spec, state, trouble);
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
                throw queue::unrecoverable_error{
                    failure_text(sources::name_of(result.outcome), result.message)};
            }
            trouble = failure_text(sources::name_of(result.outcome), result.message);
        }
        switch (decision.what) {
        case retry_decision::action::give_up:
            throw std::runtime_error(fmt::format("{}; {} tries", trouble, policy.failed_tries()));
        case retry_decision::action::postpone:
            postpone(decision.after, trouble);
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

/// The commit may have happened although its answer was lost; the ledger notices the same page (is_replay),
/// so it is simply handed in again.
task<catalog::committed_page> pager::commit_surely(const catalog::scraped_page& page) {
    std::string why;
    for (int n = 1; n <= commit_tries; ++n) {
        if (n > 1) co_await sleep_for(250ms * n);
        try {
            auto done = co_await within(commit_limit, services_.products.commit_page(order_.run, page));
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
    postpone(database_pause, "the database is not available: " + why);
}

task<void> pager::commit(read_page page) {
    catalog::scraped_page entry;
    entry.number = report_.totals.pages + 1;
    entry.cursor = page.result.next ? page.result.next->to_json() : std::string{end_cursor};
    entry.found = page.found;
    entry.cache = std::move(page.memory);
    entry.products.reserve(page.result.records.size());
    for (const auto& r : page.result.records)
        entry.products.push_back(product_of(r, *order_.source, page.scraped_at_ms));

    // From here to the cache the page is finished even if the worker is told to end: a commit without its
    // invalidation would leave caches wrong for as long as they live.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    std::exception_ptr error;
    try {
        auto done = co_await commit_surely(entry);
        if (!is_finished_elsewhere_) {
            report_.totals = done.totals;
            services_.metrics.products(order_.source->id, entry.found,
                                       static_cast<std::int64_t>(done.changed.size()));
            if (done.is_replay)
                co_await services_.caches.unknown_changed();
            else if (!done.changed.empty())
                co_await services_.caches.changed(done.changed, done.lsn);
        }
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (error) std::rethrow_exception(error);
}

task<void> pager::save_progress() {
    try {
        co_await job_.update_progress(report_.progress_json());
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        // The page is safe; if the job itself is gone, its lock tells.
        services_.log.warn("progress_not_saved", {{"job_id", job_.id()}, {"error", e.what()}});
    }
}

std::string pager::end_by_operator_limits() const {
    if (report_.totals.pages >= limits_.max_pages) return "max_pages";
    if (report_.totals.products_found >= limits_.max_items) return "max_items";
    return {};
}

task<void> pager::run(const catalog::run_state& from, bool caches_may_be_stale) {
    report_.totals = from;
    report_.resumed_at = from.pages;
    if (caches_may_be_stale) co_await services_.caches.unknown_changed();
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
    for (;;) {
        auto page = co_await next_page(state);
        const auto next = page.result.next;
        const auto end = page.result.end;
        if (page.result.outcome == sources::outcome::not_modified) ++report_.not_modified;
        co_await commit(std::move(page));
        if (is_finished_elsewhere_) co_return;
        co_await save_progress();
        if (!next) {
            report_.end = sources::name_of(end);
            co_return;
        }
        if (report_.end = end_by_operator_limits(); !report_.end.empty()) co_return;
        state = std::move(*next);
    }
}

} // namespace tiktrend::worker
