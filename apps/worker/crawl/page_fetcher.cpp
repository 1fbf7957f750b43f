#include "page_fetcher.hpp"

#include "page_memory.hpp"
#include "postpone.hpp"
#include "retry_after.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/fetch/secrets.hpp>

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds longest_crawl_delay = 60s;

/// The operator's secrets for one source, by their name within it.
std::map<std::string, std::string, std::less<>> secrets_of(const config& settings,
                                                           const std::string& source) {
    std::map<std::string, std::string, std::less<>> out;
    const auto prefix = source + '.';
    for (const auto& [name, value] : settings.source_secrets)
        if (name.starts_with(prefix)) out.emplace(name.substr(prefix.size()), value);
    return out;
}

} // namespace

std::string failure_text(std::string_view what, const std::string& message) {
    return message.empty() ? std::string{what} : fmt::format("{}: {}", what, message);
}

page_fetcher::page_fetcher(scrape_services& services, page_room& room, const scrape_order& order,
                           const queue::active_job& job, scrape_report& report, const sources::limits& limits)
    : services_{services}, room_{room}, order_{order}, job_{job}, report_{report}, limits_{limits} {
    context_.secrets = secrets_of(services.settings, order.source->id);
    for (const auto& [name, value] : context_.secrets)
        fetch::add_secret(secrets_, value);
    context_.plain_http_hosts = services.settings.plain_http_hosts;
    if (order.source->keeps_cookies) cookies_ = std::make_shared<fetch::cookie_jar>();
    const auto& polite = order.source->politeness;
    if (!polite.obey_robots)
        services.log.info(
            "robots_ignored",
            {{"job_id", job.id()}, {"source", order.source->id}, {"reason", polite.robots_reason}});
}

sources::request_spec page_fetcher::render(const sources::page_state& state) const {
    auto spec = sources::render_request(*order_.source, order_.inputs, context_, state);
    if (spec) return std::move(*spec);
    const auto& e = spec.error();
    const auto what = e.code == sources::render_errc::missing_secret ? "login_required" : "bad_url";
    throw queue::unrecoverable_error{failure_text(what, e.message)};
}

std::string page_fetcher::conditional_url(const sources::page_state& state) const {
    if (!order_.source->conditional || !order_.source->follows.empty()) return {};
    auto spec = sources::render_request(*order_.source, order_.inputs, context_, state);
    return spec && spec->conditional ? std::move(spec->display_url) : std::string{};
}

void page_fetcher::known_ahead(std::string url, std::optional<catalog::cached_page> memory) {
    if (ahead_.size() > 1) ahead_.clear(); // of pages that were not asked for after all
    if (!url.empty()) ahead_.insert_or_assign(std::move(url), std::move(memory));
}

task<std::optional<catalog::cached_page>> page_fetcher::memory_of(const std::string& url) {
    if (auto known = ahead_.extract(url)) co_return std::move(known.mapped());
    co_return co_await services_.pages.find(url);
}

void page_fetcher::put_off(milliseconds after, const std::string& why) const {
    postpone(job_, services_.clock, after, why);
}

/// The proxy of this job while it serves; when it does not, another one.
std::string page_fetcher::proxy() const {
    auto choice = services_.proxies.choose(order_.source->id, order_.run.job_id);
    if (!choice) put_off(choice.error(), "every proxy of the source is resting");
    return std::move(*choice);
}

task<host_rules> page_fetcher::rules_for(const fetch::url& where, const std::string& proxy) {
    const auto& asked = order_.source->politeness;
    host_rules rules;
    rules.delay = std::max(asked.delay, services_.settings.min_delay);
    rules.concurrency = asked.concurrency;
    if (!asked.obey_robots || !services_.settings.obey_robots) co_return rules;
    const auto verdict =
        co_await services_.robots.check(where, rules, services_.settings.retries.wait_in_place, proxy);
    switch (verdict.what) {
    case robots_verdict::kind::allowed:
        break;
    case robots_verdict::kind::disallowed:
        services_.metrics.page(order_.source->id, "robots_disallowed");
        throw queue::unrecoverable_error{failure_text("robots_disallowed", verdict.reason)};
    case robots_verdict::kind::unavailable:
        if (verdict.is_for_proxy) services_.proxies.failed(proxy);
        services_.metrics.page(order_.source->id, "robots_unavailable");
        put_off(verdict.retry_after, failure_text("robots_unavailable", verdict.reason));
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

/// Leave to ask the host of `where` now, by its robots.txt and its rules; throws when there is none.
task<void> page_fetcher::take_turn(turn& t, const fetch::url& where) {
    const auto rules = co_await rules_for(where, t.proxy);
    auto host = where.origin();
    auto permit = co_await services_.polite.enter(host, rules, services_.settings.retries.wait_in_place);
    if (!permit) put_off(permit.error(), fmt::format("rate_limited: {} is left alone for now", host));
    t.host = std::move(host);
    t.permit.emplace(std::move(*permit));
}

/// A redirect may lead to another host, whose robots.txt has a say of its own, and a line to stand in. The
/// one that redirected has answered: its permit is given back first, or two jobs could wait for each other's.
task<bool> page_fetcher::may_follow(turn& t, const fetch::url& next) {
    if (next.origin() == t.host) {
        co_await rules_for(next, t.proxy);
    } else {
        t.permit.reset();
        co_await take_turn(t, next);
    }
    co_return true;
}

/// One request under the rules of the host, and of those that it redirects to; `host` becomes the one that
/// answered. An error is a failure that another try may mend.
task<result<fetch::response, std::string>> page_fetcher::send(fetch::request request, const fetch::url& where,
                                                              std::string& host) {
    turn t;
    t.proxy = request.proxy;
    co_await take_turn(t, where);
    request.may_follow = [this, &t](const fetch::url& next) { return may_follow(t, next); };

    ++report_.requests;
    auto out = co_await services_.fetcher.fetch(request);
    host = t.host;
    report_.requests += out ? static_cast<std::int64_t>(out->redirects.size()) : out.error().redirects;
    host_visit visit;
    if (out) {
        visit.first_byte = std::chrono::duration_cast<milliseconds>(out->first_byte_time);
        visit.is_overloaded = out->status == 429 || out->status == 503;
        t.permit->report(visit);
        co_return std::move(*out);
    }
    const auto& f = out.error();
    if (f.kind == fetch::failure_kind::proxy_failed) services_.proxies.failed(request.proxy);
    visit.is_overloaded = f.kind == fetch::failure_kind::timeout;
    t.permit->report(visit);
    if (f.kind == fetch::failure_kind::cancelled) throw queue::released_error{f.message()};
    if (f.cls == fetch::failure_class::permanent) throw queue::unrecoverable_error{f.message()};
    report_.bytes += static_cast<std::int64_t>(f.bytes_received);
    co_return f.message();
}

/// How an answer that was no page begins, for whoever mends the definition.
std::string page_fetcher::sample_of(const sources::page_state& state, const fetch::response& response) const {
    constexpr std::size_t most_bytes = 2000;
    std::string body = repair_utf8(std::string_view{response.body}.substr(0, most_bytes));
    for (auto& c : body)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    auto out = fmt::format("page {}: HTTP {}, {}, {} bytes: {}", state.number, response.status,
                           response.header_value("content-type").substr(0, 200), response.body.size(), body);
    return repair_utf8(fetch::masked(std::move(out), secrets_)); // a site may show what it was sent
}

/// One request and what its answer means. Nothing: no response, and `trouble` says why; another try may help.
task<std::optional<page_answer>> page_fetcher::ask(const sources::page_state& state, std::string& trouble) {
    const auto& source = *order_.source;
    const auto spec = render(state);
    // Links are handed on each time: what they lead to may have changed although the list has not.
    const bool is_conditional = spec.conditional && source.follows.empty();
    std::optional<page_validators> validators;
    if (is_conditional)
        if (const auto cached = co_await memory_of(spec.display_url))
            validators = validators_of(*cached, source, order_.inputs);

    fetch::request request{spec.url};
    request.method = spec.method;
    request.body = spec.body;
    request.has_secret_body = spec.has_secrets && !spec.body.empty();
    for (const auto& h : spec.headers)
        request.headers.push_back({h.name, h.value, h.is_secret});
    // A page that is needed to find the next one is asked for whole.
    const bool may_be_unread = validators && (sources::goes_on_unread(source) || !validators->had_next);
    if (may_be_unread && !validators->etag.empty())
        request.headers.push_back({"if-none-match", validators->etag});
    if (may_be_unread && !validators->last_modified.empty())
        request.headers.push_back({"if-modified-since", validators->last_modified});
    request.secrets = secrets_;
    request.max_body_bytes = static_cast<std::size_t>(limits_.max_bytes);
    if (!source.hosts.empty())
        request.allow_host = [&source](std::string_view host) {
            return sources::is_host_allowed(source.hosts, host);
        };

    request.cookies = cookies_;
    request.proxy = proxy();
    if (const auto secret = password_of(request.proxy); !secret.empty()) request.secrets.emplace_back(secret);
    const auto used_proxy = request.proxy;

    const auto where = fetch::parse_url(spec.url);
    if (!where)
        throw queue::unrecoverable_error{failure_text(fetch::to_string(where.error()), spec.display_url)};
    std::string host;
    auto out = co_await send(std::move(request), *where, host);
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

    page_answer a;
    a.page.scraped_at_ms = services_.clock.now_ms();
    if (!response.body.empty()) a.page.place = co_await room_.enter();
    a.retry_after = parse_retry_after(response.header_value("retry-after"), a.page.scraped_at_ms,
                                      services_.settings.retries.retry_after_cap);
    a.page.url = spec.display_url;
    a.host = host;
    // Before the reader may write into the body.
    std::optional<catalog::cached_page> memory;
    if (response.status == 200 && is_conditional)
        memory = remember(spec.display_url, response, source, order_.inputs, a.page.scraped_at_ms);
    const bool is_same = memory && validators && is_same_body(*memory, *validators);
    a.page.result = services_.reader.read(source, order_.inputs, state, view);
    auto& result = a.page.result;
    if (!secrets_.empty()) result.message = fetch::masked(std::move(result.message), secrets_);
    if (result.outcome == sources::outcome::not_modified) {
        a.page.found = validators ? validators->found : 0;
    } else {
        a.page.found = static_cast<std::int64_t>(result.records.size());
        // Byte for byte what it was: all of it is in the database.
        if (is_same && result.outcome == sources::outcome::ok) {
            result.outcome = sources::outcome::not_modified;
            result.records.clear();
            memory.reset();
        } else if (memory) {
            complete(*memory, a.page.found, result.next.has_value());
            a.page.memory = std::move(memory);
        }
    }
    // A 503 that names a time is a server asking for patience, which is what a 429 is.
    if (result.outcome == sources::outcome::transient && response.status == 503 && a.retry_after)
        result.outcome = sources::outcome::rate_limited;
    const auto reaction = sources::reaction_to(result.outcome);
    if (reaction == sources::reaction::cool_down || reaction == sources::reaction::give_up)
        a.sample = sample_of(state, response);
    if (reaction == sources::reaction::cool_down) {
        const auto rest = services_.settings.retries.cool_down;
        if (used_proxy.empty())
            services_.polite.pause(host, rest);
        else
            services_.proxies.rest(used_proxy, rest); // another one may be welcome
    }
    co_return a;
}

} // namespace tiktrend::worker
