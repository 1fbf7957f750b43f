#include "mirror_images.hpp"

#include "../crawl/image_facts.hpp"
#include "../crawl/postpone.hpp"
#include "../crawl/retry_after.hpp"

#include <tiktrend/base/digest.hpp>

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {

constexpr std::string_view for_ever = "public, max-age=31536000, immutable";

/// Two levels of folders, as stores list by prefix.
std::string name_of_image(std::string_view bytes, std::string_view extension) {
    const auto digest = sha256_hex(bytes);
    return fmt::format("images/{}/{}/{}.{}", digest.substr(0, 2), digest.substr(2, 2), digest, extension);
}

} // namespace

/// How the host may be asked by its robots.txt, or why it may not; throws when that is not known now.
task<result<host_rules, std::string>> mirror_images::rules_for(const queue::active_job& job,
                                                               const fetch::url& where) const {
    const auto& settings = *services_.settings.images;
    host_rules rules;
    rules.delay = settings.delay;
    rules.concurrency = settings.concurrency;
    if (!services_.settings.obey_robots) co_return rules;
    const auto verdict =
        co_await services_.robots.check(where, rules, services_.settings.retries.wait_in_place);
    if (verdict.what == robots_verdict::kind::disallowed) co_return "robots_disallowed: " + verdict.reason;
    if (verdict.what == robots_verdict::kind::unavailable)
        postpone(job, services_.clock, verdict.retry_after, "robots_unavailable: " + verdict.reason);
    rules.delay = std::max(rules.delay, verdict.crawl_delay);
    co_return rules;
}

/// Waits for the host's turn. Text: why it may not be asked.
task<std::string> mirror_images::take_turn(const queue::active_job& job, turn& t,
                                           const fetch::url& where) const {
    const auto rules = co_await rules_for(job, where);
    if (!rules) co_return rules.error();
    auto host = where.origin();
    if (host == t.host) co_return std::string{};
    t.permit.reset(); // two jobs could wait for each other's
    auto permit = co_await services_.polite.enter(host, *rules, services_.settings.retries.wait_in_place);
    if (!permit)
        postpone(job, services_.clock, permit.error(),
                 fmt::format("rate_limited: {} is left alone for now", host));
    t.host = std::move(host);
    t.permit.emplace(std::move(*permit));
    co_return std::string{};
}

/// A host that redirects stands for itself alone; what robots.txt forbids is not followed.
task<bool> mirror_images::may_follow(const queue::active_job& job, turn& t, const fetch::url& next) const {
    const auto refusal = co_await take_turn(job, t, next);
    co_return refusal.empty();
}

task<result<std::string, mirror_images::copy>> mirror_images::download(const queue::active_job& job,
                                                                       const std::string& url) const {
    const auto where = fetch::parse_url(url);
    if (!where) co_return copy{fate::refused, {}, std::string{fetch::to_string(where.error())}};
    turn t;
    if (auto refusal = co_await take_turn(job, t, *where); !refusal.empty())
        co_return copy{fate::refused, {}, std::move(refusal)};
    fetch::request request{url};
    request.headers.push_back({"accept", "image/avif,image/webp,image/png,image/jpeg,image/gif"});
    request.max_body_bytes = services_.settings.images->max_bytes;
    request.may_follow = [this, &job, &t](const fetch::url& next) { return may_follow(job, t, next); };
    auto answer = co_await services_.fetcher.fetch(request);
    host_visit visit;
    if (!answer) {
        const auto& f = answer.error();
        if (f.kind == fetch::failure_kind::cancelled) throw queue::released_error{f.message()};
        visit.is_overloaded = f.kind == fetch::failure_kind::timeout;
        if (t.permit) t.permit->report(visit);
        co_return copy{
            f.cls == fetch::failure_class::permanent ? fate::refused : fate::failed, {}, f.message()};
    }
    visit.first_byte = std::chrono::duration_cast<std::chrono::milliseconds>(answer->first_byte_time);
    visit.is_overloaded = answer->status == 429 || answer->status == 503;
    if (t.permit) t.permit->report(visit);
    if (visit.is_overloaded) leave_alone(job, t.host, *answer);
    if (answer->status != 200) {
        const bool may_come = answer->status >= 500;
        co_return copy{may_come ? fate::failed : fate::refused, {}, fmt::format("status {}", answer->status)};
    }
    co_return std::move(answer->body);
}

/// A host that asks for patience gets it from every job; returns if it is a 503 that names no time.
void mirror_images::leave_alone(const queue::active_job& job, const std::string& host,
                                const fetch::response& answer) const {
    const auto& retries = services_.settings.retries;
    const auto asked = parse_retry_after(answer.header_value("retry-after"), services_.clock.now_ms(),
                                         retries.retry_after_cap);
    if (!asked && answer.status != 429) return;
    const auto wait = std::max(asked.value_or(retries.max), retries.base);
    services_.polite.pause(host, wait);
    postpone(job, services_.clock, wait, fmt::format("rate_limited: {} answered {}", host, answer.status));
}

task<mirror_images::copy> mirror_images::mirror(const queue::active_job& job, const std::string& url) const {
    auto got = co_await download(job, url);
    if (!got) co_return got.error();
    const auto facts = facts_of_image(*got);
    if (!facts) co_return copy{fate::refused, {}, "not an image of a kind that is kept"};
    const auto pixels = std::uint64_t{facts->width} * facts->height;
    if (pixels < services_.settings.images->min_pixels || pixels > services_.settings.images->max_pixels)
        co_return copy{fate::refused, {}, fmt::format("{} x {} pixels", facts->width, facts->height)};
    fetch::s3_object object;
    object.name = name_of_image(*got, facts->extension);
    const auto is_there = co_await storage_->has(object.name);
    if (is_there && *is_there) co_return copy{fate::present, std::move(object.name), {}};
    object.bytes = std::move(*got);
    object.content_type = facts->content_type;
    object.cache_control = for_ever;
    const auto stored = co_await storage_->put(object);
    if (!stored) co_return copy{fate::failed, {}, stored.error().message()};
    co_return copy{fate::mirrored, std::move(object.name), {}};
}

task<std::string> mirror_images::operator()(queue::active_job& job) const {
    const auto order = parse_image_order(job.record().data);
    if (!order) throw queue::unrecoverable_error{order.error().reason};
    if (!storage_) co_return fmt::format(R"({{"skipped":{}}})", order->items.size());

    std::array<std::int64_t, 4> counts{};
    std::vector<catalog::mirrored_image> done;
    image_order left; // what another try has to do
    left.source = order->source;
    std::string trouble;
    std::exception_ptr stopped;
    std::size_t next = 0;
    try {
        for (; next < order->items.size(); ++next) {
            const auto& item = order->items[next];
            if (job.should_stop()) throw queue::released_error{std::string{job.stop_reason()}};
            auto made = co_await mirror(job, item.url);
            ++counts[static_cast<std::size_t>(made.what)];
            if (made.what == fate::failed) left.items.push_back(item);
            if (!made.name.empty())
                done.push_back({item.id, item.url, services_.settings.images->public_url + '/' + made.name});
            if (made.trouble.empty()) continue;
            services_.log.info("image_not_mirrored",
                               {{"job_id", job.id()}, {"product", item.id}, {"error", made.trouble}});
            if (made.what == fate::failed) trouble = std::move(made.trouble);
        }
    } catch (...) {
        stopped = std::current_exception();
    }
    // Whatever ended the loop: what is stored is known.
    if (!done.empty()) {
        const auto written = co_await images_.set(std::move(done));
        if (!written.changed.empty()) co_await services_.caches.changed(written.changed, written.lsn);
    }
    constexpr std::array<std::string_view, 4> names{"mirrored", "present", "refused", "failed"};
    std::string out = "{";
    for (std::size_t i = 0; i < names.size(); ++i) {
        services_.metrics.image(names[i], counts[i]);
        if (i < order->before.size()) left.before[i] = counts[i] += order->before[i];
        out += fmt::format(R"({}"{}":{})", i ? "," : "", names[i], counts[i]);
    }
    left.items.insert(left.items.end(), order->items.begin() + static_cast<std::ptrdiff_t>(next),
                      order->items.end());
    if (!left.items.empty() && left.items.size() < order->items.size()) co_await keep(job, left);
    if (stopped) std::rethrow_exception(stopped);
    if (!trouble.empty()) throw std::runtime_error(fmt::format("{} images failed: {}", counts[3], trouble));
    co_return out + '}';
}

/// Best effort: another try that does not know what is done finds it stored.
task<void> mirror_images::keep(queue::active_job& job, const image_order& left) const {
    try {
        co_await job.update_data(to_json(left));
    } catch (const system_error& e) {
        services_.log.warn("images_left_not_kept", {{"job_id", job.id()}, {"error", e.what()}});
    }
}

} // namespace tiktrend::worker
