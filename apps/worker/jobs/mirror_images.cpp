#include "mirror_images.hpp"

#include "../crawl/image_facts.hpp"
#include "../crawl/postpone.hpp"

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

task<result<std::string, mirror_images::copy>> mirror_images::download(const queue::active_job& job,
                                                                       const std::string& url) const {
    const auto& settings = *services_.settings.images;
    const auto where = fetch::parse_url(url);
    if (!where) co_return copy{fate::refused, {}, std::string{fetch::to_string(where.error())}};
    host_rules rules;
    rules.delay = settings.delay;
    rules.concurrency = settings.concurrency;
    const auto patience = services_.settings.retries.wait_in_place;
    if (services_.settings.obey_robots) {
        const auto verdict = co_await services_.robots.check(*where, rules, patience);
        if (verdict.what == robots_verdict::kind::disallowed)
            co_return copy{fate::refused, {}, "robots_disallowed: " + verdict.reason};
        if (verdict.what == robots_verdict::kind::unavailable)
            postpone(job, services_.clock, verdict.retry_after, "robots_unavailable: " + verdict.reason);
        rules.delay = std::max(rules.delay, verdict.crawl_delay);
    }
    auto permit = co_await services_.polite.enter(where->origin(), rules, patience);
    if (!permit)
        postpone(job, services_.clock, permit.error(),
                 fmt::format("rate_limited: {} is left alone for now", where->origin()));
    fetch::request request{url};
    request.headers.push_back({"accept", "image/avif,image/webp,image/png,image/jpeg,image/gif"});
    request.max_body_bytes = settings.max_bytes;
    auto answer = co_await services_.fetcher.fetch(request);
    if (!answer) {
        const auto& f = answer.error();
        if (f.kind == fetch::failure_kind::cancelled) throw queue::released_error{f.message()};
        co_return copy{
            f.cls == fetch::failure_class::permanent ? fate::refused : fate::failed, {}, f.message()};
    }
    host_visit visit;
    visit.first_byte = std::chrono::duration_cast<std::chrono::milliseconds>(answer->first_byte_time);
    visit.is_overloaded = answer->status == 429 || answer->status == 503;
    permit->report(visit);
    if (answer->status != 200) {
        const bool may_come = answer->status == 429 || answer->status >= 500;
        co_return copy{may_come ? fate::failed : fate::refused, {}, fmt::format("status {}", answer->status)};
    }
    co_return std::move(answer->body);
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
    std::string trouble;
    std::exception_ptr stopped;
    try {
        for (const auto& item : order->items) {
            if (job.should_stop()) throw queue::released_error{std::string{job.stop_reason()}};
            auto made = co_await mirror(job, item.url);
            ++counts[static_cast<std::size_t>(made.what)];
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
        out += fmt::format(R"({}"{}":{})", i ? "," : "", names[i], counts[i]);
    }
    if (stopped) std::rethrow_exception(stopped);
    if (!trouble.empty()) throw std::runtime_error(fmt::format("{} images failed: {}", counts[3], trouble));
    co_return out + '}';
}

} // namespace tiktrend::worker
