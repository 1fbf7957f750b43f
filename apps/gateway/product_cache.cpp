#include "product_cache.hpp"

#include <tiktrend/cache/response_cache.hpp>

namespace tiktrend::gateway {
namespace {

constexpr std::string_view scope = "products";

task<cache::loaded> run(product_cache::loader load) {
    auto read = co_await load();
    cache::loaded out;
    out.found = read.body.has_value();
    if (read.body) out.body = std::move(*read.body);
    out.lsn = read.point.is_primary ? cache::lsn_of_primary : read.point.replayed.value;
    co_return out;
}

cache::response_cache_options options_of(const config& settings, observe::registry& metrics,
                                         const logger& log, product_cache::followers also) {
    cache::response_cache_options o;
    o.on_changed = std::move(also.on_changed);
    o.on_all_changed = std::move(also.on_all_changed);
    o.near.max_bytes = static_cast<std::size_t>(settings.near_cache_bytes);
    o.stale_for = settings.stale_for;
    o.max_uncached_loads = settings.max_uncached_loads;
    o.log = log;
    auto requests = std::make_shared<observe::label_cache<observe::counter, 2>>(
        metrics.counters("cache_requests_total", "Look-ups of the answer cache.", {"cache", "result"}));
    auto fills = std::make_shared<observe::label_cache<observe::counter, 2>>(metrics.counters(
        "cache_fills_total", "Answers offered to the cache, by what became of them.", {"cache", "result"}));
    o.on_outcome = [requests](std::string_view name, cache::outcome how) {
        (*requests)(name, cache::to_string(how)).add();
    };
    o.on_fill = [fills](std::string_view name, cache::fill_result what) {
        (*fills)(name, cache::to_string(what)).add();
    };
    return o;
}

product_cache::answer answer_of(const cache::entry_ptr& e, cache::outcome how) {
    product_cache::answer out;
    if (e->found) {
        out.body = cache::body_of(e);
        out.gzip = cache::gzip_of(e);
        out.etag = e->etag;
    }
    out.how = how == cache::outcome::hit_near ? "hit" : cache::to_string(how);
    return out;
}

} // namespace

struct product_cache::impl {
    impl(redis::client& client, const config& settings, observe::registry& metrics, const logger& log,
         followers also)
        : ttl{settings.products_ttl}, answers{client, options_of(settings, metrics, log, std::move(also))} {}

    task<answer> get(cache::key key, std::chrono::milliseconds life, loader load) {
        const auto found = co_await answers.get(key, life, [load = std::move(load)] { return run(load); });
        co_return answer_of(found.value, found.how);
    }

    std::chrono::milliseconds ttl;
    cache::response_cache answers;
};

product_cache::product_cache(redis::client& client, const config& settings, observe::registry& metrics,
                             logger log, followers also)
    : impl_{std::make_unique<impl>(client, settings, metrics, log, std::move(also))} {}
product_cache::~product_cache() = default;

cache::response_cache& product_cache::answers() noexcept {
    return impl_->answers;
}

void product_cache::start() {
    impl_->answers.start();
}
task<void> product_cache::stop() {
    return impl_->answers.stop();
}

cache::key product_cache::list_key(std::string_view text) {
    return cache::key::list(scope, text);
}

std::optional<product_cache::answer> product_cache::find_list(const cache::key& key) {
    const auto near = impl_->answers.find_near(key);
    if (!near) return std::nullopt;
    return answer_of(near, cache::outcome::hit_near);
}

task<product_cache::answer> product_cache::list(cache::key key, loader load) {
    return impl_->get(std::move(key), impl_->ttl, std::move(load));
}

task<product_cache::answer> product_cache::get(cache::key key, std::chrono::milliseconds ttl, loader load) {
    return impl_->get(std::move(key), ttl, std::move(load));
}

task<product_cache::answer> product_cache::product(std::int64_t id, loader load) {
    return impl_->get(cache::key::one(scope, std::to_string(id)), impl_->ttl, std::move(load));
}

} // namespace tiktrend::gateway
