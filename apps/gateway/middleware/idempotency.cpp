#include "middleware/idempotency.hpp"

#include "canonical_json.hpp"
#include "middleware/idempotency_key.hpp"
#include "middleware/principal.hpp"
#include "scripts.hpp"

#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/ids.hpp>
#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

/// How long the end of a request waits for a lost connection: the client's longest pause, and time to dial.
constexpr auto reconnect_limit = 3s;
constexpr std::size_t nonce_size = 12; ///< the last part of a UUID, all of it random
/// What an answer repeats beside status and body.
constexpr std::array<std::string_view, 3> repeated_fields{"Content-Type", "Location", "Cache-Control"};

std::string fields_of(const http::response& answer) {
    std::string out;
    for (const auto name : repeated_fields)
        if (answer.headers.has(name)) out.append(name).append(":").append(answer.headers.get(name)) += '\n';
    return out;
}

http::response repeat(const redis::reply& kept) {
    http::response out;
    out.status = static_cast<int>(kept[1].integer());
    for (auto fields = kept[2].text(); !fields.empty();) {
        const auto end = std::min(fields.find('\n'), fields.size());
        const auto line = fields.substr(0, end);
        fields.remove_prefix(std::min(end + 1, fields.size()));
        if (const auto colon = line.find(':'); colon != std::string_view::npos)
            out.headers.set(line.substr(0, colon), line.substr(colon + 1));
    }
    out.body = kept[3].text();
    out.headers.set("Idempotent-Replayed", "true");
    return out;
}

} // namespace

struct idempotency::entry {
    std::string redis_key;
    std::string token;
};

/// What becomes of the key (end_request.lua).
enum class idempotency::ending { keep, again, forget };

idempotency::idempotency(redis::client& client, observe::registry& metrics, logger log,
                         idempotency_options options)
    : client_{client}, outcomes_{metrics.counters("idempotent_requests_total",
                                                  "Requests with an Idempotency-Key.", {"result"})},
      log_{std::move(log)}, options_{options} {}

http::handler idempotency::once(http::handler next) {
    return [this, next = std::move(next)](http::request& r) { return run(r, next); };
}

task<http::response> idempotency::run(http::request& r, const http::handler& next) { // no coroutine
    if (!r.headers.has(idempotency_key_header)) return next(r);
    return run_with_key(r, read_idempotency_key(r), next);
}

task<http::response> idempotency::run_with_key(http::request& r, std::string key, const http::handler& next) {
    // Lengths keep the parts apart.
    const auto scope = fmt::format("{}:{} {}:{} {}:{} {}", principal_of(r).id.size(), principal_of(r).id,
                                   r.method_text.size(), r.method_text, r.path.size(), r.path, key);
    const auto name = sha256_hex(scope).substr(0, 32);
    const entry mine{"idempotency:" + name, uuid_v4()};
    const auto known = co_await run_script(
        client_, begin_request_script(), mine.redis_key,
        {bytes_of(sha256(canonical_json(r.body))), mine.token, std::to_string(options_.longest.count()),
         std::to_string(options_.kept.count()), mine.token.substr(mine.token.size() - nonce_size)});
    const auto state = known[0].text();
    outcomes_(state == "done"    ? "replayed"
              : state == "run"   ? "first"
              : state == "other" ? "mismatch"
                                 : "running")
        .add();
    if (state == "done") co_return repeat(known);
    if (state == "other")
        throw http::problem(422, "idempotency_key_reused",
                            "This Idempotency-Key came before with another request.");
    if (state == "running")
        throw http::problem(409, "request_in_progress",
                            "A request with this Idempotency-Key is being processed.")
            .with_retry_after(1s);
    const auto request = std::make_shared<idempotent_request>();
    request->name = fmt::format("ik-{}-{}", name, known[1].text());
    r.attach(request);
    std::exception_ptr failure;
    http::response answer;
    try {
        answer = co_await next(r);
    } catch (const http::problem& refusal) {
        failure = std::current_exception();
        if (refusal.status() < 500) request->has_begun = false; // nothing was done
    } catch (...) {
        failure = std::current_exception();
    }
    const bool is_good = !failure && answer.status >= 200 && answer.status < 300 && !answer.stream;
    const bool is_kept = is_good && answer.body_view().size() <= request->max_kept_body;
    co_await end(mine, is_kept ? ending::keep : request->has_begun ? ending::again : ending::forget, answer);
    if (failure) std::rethrow_exception(failure);
    co_return answer;
}

task<void> idempotency::end(const entry& e, ending how, const http::response& answer) {
    const bool keeps = how == ending::keep;
    try {
        // What failed because its connection broke would find it still broken; a moment later there is
        // another.
        co_await client_.wait_connected(reconnect_limit);
        co_await run_script(
            client_, end_request_script(), e.redis_key,
            {e.token,
             keeps                  ? "keep"
             : how == ending::again ? "again"
                                    : "forget",
             keeps ? std::to_string(answer.status) : std::string{}, keeps ? fields_of(answer) : std::string{},
             keeps ? std::string{answer.body_view()} : std::string{}, std::to_string(options_.kept.count())});
    } catch (const system_error& failed) {
        // The key stays "running" for its time; then a repetition runs and finds the job by its fixed id.
        log_.warn("idempotency_not_kept", {{"error", failed.what()}});
        if (is_cancelled(failed.code())) throw;
    }
}

} // namespace tiktrend::gateway
