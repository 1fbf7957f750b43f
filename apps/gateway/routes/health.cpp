#include "routes/health.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/base/json_text.hpp>
#include <tiktrend/base/timeout.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;
constexpr auto max_age = 1s;
/// A "no" is looked at again sooner: a gateway that starts is asked before its connections stand, and would
/// otherwise call itself not ready for a whole second after they do.
constexpr auto max_age_of_no = 50ms;
constexpr auto probe_limit = 1s;

http::response status_only(bool ok, std::string_view word) {
    std::string body = R"({"status":)";
    append_json_string(body, word);
    auto r = http::response::json(ok ? 200 : 503, body + '}');
    r.headers.set("Cache-Control", "no-store");
    return r;
}

task<http::response> alive() {
    co_return status_only(true, "ok");
}

} // namespace

health::health(asio::any_io_executor executor, std::vector<dependency> dependencies,
               const std::atomic<bool>& draining, std::atomic<bool>& was_ready,
               std::function<std::string()> more)
    : executor_{executor}, dependencies_{std::move(dependencies)}, states_(dependencies_.size()),
      draining_{draining}, was_ready_{was_ready}, more_{std::move(more)}, check_{executor} {}

http::handler health::live() {
    return [](http::request&) { return alive(); };
}
http::handler health::ready() {
    return [this](http::request&) { return answer(false); };
}
http::handler health::serving() {
    return [this](http::request&) { return answer_serving(); };
}
http::handler health::all() {
    return [this](http::request&) { return answer(true); };
}

task<void> health::probe_one(std::size_t i) {
    const auto start = std::chrono::steady_clock::now();
    auto& s = states_[i];
    try {
        co_await within(probe_limit, dependencies_[i].probe());
        s.up = true;
        s.error.clear();
    } catch (const std::exception& e) {
        s.up = false;
        s.error = e.what();
    }
    s.latency =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
}

/// At once, so that several servers that do not answer cost one limit: balancers wait three seconds for their
/// check.
task<void> health::probe_from(std::size_t i) {
    using namespace asio::experimental::awaitable_operators;
    if (i + 1 == dependencies_.size()) co_return co_await probe_one(i);
    co_await (probe_one(i) && probe_from(i + 1));
}

task<void> health::refresh() {
    if (check_.is_taken()) co_return co_await check_.wait();
    const auto now = std::chrono::steady_clock::now();
    if (checked_at_ != std::chrono::steady_clock::time_point::min() &&
        now - checked_at_ < (needs_are_met() ? max_age : max_age_of_no))
        co_return;
    const auto mine = check_.take();
    if (!dependencies_.empty()) co_await probe_from(0);
    checked_at_ = std::chrono::steady_clock::now();
    if (needs_are_met()) was_ready_ = true;
}

bool health::is_ready() const {
    return !draining_ && needs_are_met();
}

bool health::needs_are_met() const {
    for (std::size_t i = 0; i < states_.size(); ++i)
        if (dependencies_[i].required && !states_[i].up) return false;
    return true;
}

task<http::response> health::answer_serving() {
    if (draining_) co_return status_only(false, "draining");
    co_await refresh();
    if (!was_ready_) co_return status_only(false, "starting");
    bool any_up = false;
    for (std::size_t i = 0; i < states_.size(); ++i)
        any_up = any_up || (dependencies_[i].is_server && states_[i].up);
    co_return status_only(any_up, !any_up ? "down" : needs_are_met() ? "ok" : "degraded");
}

task<http::response> health::answer(bool with_details) {
    if (draining_ && !with_details) co_return status_only(false, "draining");
    co_await refresh();
    const bool ready_now = is_ready();
    bool all_up = true;
    for (const auto& s : states_)
        all_up = all_up && s.up;
    const std::string_view word = draining_ ? "draining" : !ready_now ? "down" : all_up ? "ok" : "degraded";
    if (!with_details) co_return status_only(ready_now, word);
    std::string body = R"({"status":)";
    append_json_string(body, word);
    body += R"(,"dependencies":{)";
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (i) body += ',';
        append_json_string(body, dependencies_[i].name);
        body += states_[i].up ? R"(:{"status":"ok","latency_ms":)" : R"(:{"status":"down","latency_ms":)";
        append_json_number(body, static_cast<double>(states_[i].latency.count()) / 1000.0);
        body += '}';
    }
    body += '}';
    if (more_) body += ',' + more_();
    body += '}';
    auto r = http::response::json(ready_now ? 200 : 503, std::move(body));
    r.headers.set("Cache-Control", "no-store");
    co_return r;
}

} // namespace tiktrend::gateway
