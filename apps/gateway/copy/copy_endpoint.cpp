#include "copy/copy_endpoint.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>

#include <charconv>
#include <stdexcept>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t max_answer = 1U << 20;
/// A retry with less time than this left would only be cut off.
constexpr auto least_time = 100ms;

http::origin origin_of(const copy_settings& s) {
    auto o = http::parse_origin(s.base_url);
    if (!o) throw std::invalid_argument("COPY_BASE_URL is no http or https URL");
    return *o;
}

http::upstream_options options_of(const copy_settings& s) {
    http::upstream_options o;
    o.ca_file = s.ca_file;
    o.connect_timeout = std::min<std::chrono::milliseconds>(2s, s.timeout);
    o.keep = s.max_concurrent;
    return o;
}

std::chrono::seconds whole_seconds(steady::duration d) {
    return std::max(1s, std::chrono::ceil<std::chrono::seconds>(d));
}

http::problem unavailable(std::chrono::seconds after) {
    return http::problem(503, "copy_unavailable", "Copy cannot be written right now. Try again later.")
        .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
        .with_retry_after(after);
}

std::chrono::seconds retry_after_of(const http::headers& h) {
    const auto text = h.get("Retry-After");
    long n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    return std::chrono::seconds{
        ec == std::errc{} && end == text.data() + text.size() && n > 0 && n < 3600 ? n : 0};
}

} // namespace

/// How one try ended.
struct copy_endpoint::attempt {
    enum class end { answered, refused, busy, broken, timed_out };
    end how = end::broken;
    completion answer;
    std::chrono::seconds retry_after{0};
    int status = 0;
    std::string reason; ///< for the log
    bool told_something = false;

    std::string_view name() const noexcept {
        switch (how) {
        case end::answered:
            return "ok";
        case end::refused:
            return "refused";
        case end::busy:
            return "busy";
        case end::broken:
            return "broken";
        case end::timed_out:
            return "timeout";
        }
        return "broken";
    }
};

copy_endpoint::copy_endpoint(asio::any_io_executor executor, const copy_settings& s, observe::registry& m,
                             logger log)
    : settings_{s}, server_{std::move(executor), origin_of(s), options_of(s)},
      circuit_{s.breaker_failures, s.breaker_pause}, budget_{s.retry_budget},
      calls_{m.counters("copy_calls_total", "Calls of the endpoint that writes copy, by how they ended.",
                        {"outcome"})},
      retries_{m.make_counter("copy_retries_total", "Calls that repeated a failed one.")},
      tokens_{m.counters("copy_tokens_total", "Tokens that the endpoint read (in) and wrote (out).",
                         {"direction"})},
      duration_{m.make_histogram("copy_call_duration_seconds", "Duration of calls of the endpoint.")},
      open_circuits_{m.make_gauge("copy_open_circuits",
                                  "Threads that do not ask the endpoint now, since it failed repeatedly.")},
      log_{std::move(log)} {}

copy_endpoint::~copy_endpoint() = default;

task<completion> copy_endpoint::read_answer(http::upstream_answer& answer,
                                            const completion_reader::on_text& told,
                                            steady::time_point first_word_until) {
    if (!told) {
        auto whole = parse_completion(co_await answer.read_all(max_answer));
        if (!whole) throw std::runtime_error("an answer without text");
        co_return std::move(*whole);
    }
    completion_reader reader{told};
    for (std::size_t total = 0; !reader.is_done();) {
        const auto piece = co_await until(
            reader.result().text.empty() ? first_word_until : steady::time_point::max(), answer.read());
        total += piece.size();
        if (piece.empty() || total > max_answer || !reader.feed(piece))
            throw std::runtime_error("a stream that ended early or is none");
    }
    if (reader.result().text.empty()) throw std::runtime_error("a stream without text");
    co_return reader.result();
}

task<void> copy_endpoint::ask(const std::string& body, const completion_reader::on_text& told, attempt& out,
                              steady::time_point first_word_until) {
    http::upstream_request r;
    r.method = "POST";
    r.target = "/chat/completions";
    r.headers.add("Content-Type", "application/json");
    r.headers.add("Accept", told ? "text/event-stream" : "application/json");
    if (!settings_.api_key.empty()) r.headers.add("Authorization", "Bearer " + settings_.api_key);
    r.body = body;
    const auto answer = co_await until(first_word_until, server_.send(r));
    out.status = answer->status;
    if (answer->status == 200) {
        out.answer = co_await read_answer(*answer, told, first_word_until);
        out.how = attempt::end::answered;
        co_return;
    }
    out.retry_after = retry_after_of(answer->headers);
    out.how = answer->status == 429 || answer->status >= 500 ? attempt::end::busy : attempt::end::refused;
    out.reason = error_text(co_await answer->read_all(max_answer));
}

task<copy_endpoint::attempt> copy_endpoint::try_once(const std::string& body,
                                                     const completion_reader::on_text& told,
                                                     steady::time_point deadline) {
    attempt out;
    completion_reader::on_text counted;
    if (told)
        counted = [&out, &told](std::string_view piece) {
            out.told_something = true;
            told(piece);
        };
    try {
        const auto end = told ? steady::now() + settings_.stream_timeout : deadline;
        co_await until(end, ask(body, counted, out, deadline));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) {
            circuit_.abandoned();
            throw;
        }
        out.how = e.code() == errc::timed_out ? attempt::end::timed_out : attempt::end::broken;
        out.reason = e.what();
    } catch (const std::runtime_error& e) { // an answer that makes no sense
        out.how = attempt::end::broken;
        out.reason = e.what();
    }
    co_return out;
}

void copy_endpoint::note(std::string_view outcome, steady::duration took) {
    calls_(outcome).add();
    duration_.observe(took);
}

void copy_endpoint::show_circuit() {
    if (shown_open_ == circuit_.is_open()) return;
    shown_open_ = circuit_.is_open();
    open_circuits_.add(shown_open_ ? 1 : -1);
    log_.warn(shown_open_ ? "copy_circuit_opened" : "copy_circuit_closed");
}

task<completion> copy_endpoint::complete(std::string body, completion_reader::on_text told) {
    if (running_ >= settings_.max_concurrent) {
        calls_("overloaded").add();
        throw unavailable(1s);
    }
    struct counted {
        std::size_t& n;
        explicit counted(std::size_t& c) : n{++c} {}
        ~counted() { --n; }
    } const while_running{running_};
    const auto deadline = steady::now() + settings_.timeout;
    budget_.earn();
    for (int tried = 1;; ++tried) {
        const auto start = steady::now();
        if (!circuit_.admit(start)) {
            calls_("circuit_open").add();
            throw unavailable(whole_seconds(circuit_.reopens_at() - start));
        }
        auto a = co_await try_once(body, told, deadline);
        const auto now = steady::now();
        note(a.name(), now - start);
        if (a.how == attempt::end::answered)
            circuit_.succeeded();
        else if (a.how == attempt::end::refused)
            circuit_.abandoned();
        else
            circuit_.failed(now);
        show_circuit();
        if (a.how == attempt::end::answered) {
            tokens_("in").add(static_cast<double>(a.answer.tokens_in));
            tokens_("out").add(static_cast<double>(a.answer.tokens_out));
            co_return std::move(a.answer);
        }
        log_.warn("copy_call_failed", {{"outcome", a.name()}, {"status", a.status}, {"error", a.reason}});
        if (a.how == attempt::end::refused)
            throw http::problem(502, "copy_refused",
                                "The endpoint that writes copy refused the request. The operator's log says "
                                "why.");
        if (a.how == attempt::end::timed_out)
            throw http::problem(504, "copy_timeout", "The copy was not written in time. Try again.");
        const bool fits = now + a.retry_after + least_time < deadline;
        if (a.told_something || tried >= settings_.attempts || !fits || !budget_.spend())
            throw unavailable(std::max(a.retry_after, 1s));
        retries_.add();
        if (a.retry_after > 0s) co_await sleep_for(a.retry_after);
    }
}

} // namespace tiktrend::gateway
