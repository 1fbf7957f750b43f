#include "copy/copy_desk.hpp"

#include "json_writer.hpp"

#include <tiktrend/http/problem.hpp>

namespace tiktrend::gateway {
namespace {

constexpr std::string_view scope = "copy";

std::string answer_body(const copy_order& o, const completion& c, std::string_view model) {
    json_object_writer usage;
    usage.integer("tokens_in", c.tokens_in);
    usage.integer("tokens_out", c.tokens_out);
    json_object_writer w;
    w.integer("product_id", o.product_id);
    w.text("tone", o.tone);
    w.text("language", o.language);
    w.text("length", o.length);
    w.text("model", c.model.empty() ? model : std::string_view{c.model});
    w.text("copy", c.text);
    w.json("usage", usage.take());
    return w.take();
}

} // namespace

/// What the loader of one request needs; it may outlive the request.
struct copy_desk::work {
    copy_desk& desk;
    copy_order order;
    principal who;
    std::shared_ptr<live_copy> live; ///< null: nobody wants pieces
    bool was_run = false;            ///< this request's own loader ran
};

copy_desk::copy_desk(asio::any_io_executor executor, const copy_settings& settings,
                     cache::response_cache& answers, quota_book& quotas, observe::registry& metrics,
                     logger log)
    : executor_{executor}, settings_{settings}, answers_{answers}, quotas_{quotas}, tasks_{executor} {
    if (settings.is_on())
        endpoint_ = std::make_unique<copy_endpoint>(executor, settings, metrics, std::move(log));
}

copy_desk::~copy_desk() = default;

task<cache::loaded> copy_desk::write(std::shared_ptr<work> w) {
    w->was_run = true;
    auto& desk = w->desk;
    const auto& s = desk.settings_;
    const auto charge = co_await desk.quotas_.take(w->who, catalog::usage_kind::copies);
    completion_reader::on_text told;
    if (w->live)
        told = [live = w->live](std::string_view piece) {
            live->text += piece;
            live->changed.set();
        };
    auto body = completion_request(w->order, s.model, s.max_tokens, w->live != nullptr);
    try {
        const auto c = co_await desk.endpoint_->complete(std::move(body), std::move(told));
        cache::loaded out;
        out.body = answer_body(w->order, c, s.model);
        out.lsn = cache::lsn_of_primary;
        co_return out;
    } catch (...) {
        desk.quotas_.give_back(charge);
        throw;
    }
}

task<cache::answer> copy_desk::fetch(copy_order order, principal who, std::shared_ptr<live_copy> live) {
    const auto key = cache::key::one(scope, copy_key(order, settings_.model));
    for (int tries = 1;; ++tries) {
        const auto w = std::make_shared<work>(work{*this, order, who, live});
        try {
            co_return co_await answers_.get(key, settings_.ttl, [w] { return write(w); });
        } catch (const http::problem& p) {
            // Whoever came first had no quota left: that is not this caller's.
            if (p.code() != "quota_exceeded" || w->was_run || tries >= 5) throw;
        }
    }
}

task<cache::answer> copy_desk::get(copy_order order, principal who) {
    return fetch(std::move(order), std::move(who), nullptr);
}

task<void> copy_desk::follow_to_end(copy_order order, principal who, std::shared_ptr<live_copy> live) {
    try {
        live->whole = co_await fetch(std::move(order), std::move(who), live);
    } catch (...) {
        live->error = std::current_exception();
    }
    live->changed.set();
}

std::shared_ptr<live_copy> copy_desk::follow(copy_order order, principal who) {
    auto live = std::make_shared<live_copy>(executor_);
    tasks_.spawn("copy", follow_to_end(std::move(order), std::move(who), live));
    return live;
}

task<void> copy_desk::stop() {
    tasks_.cancel();
    co_await tasks_.join();
}

} // namespace tiktrend::gateway
