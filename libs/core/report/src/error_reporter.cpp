#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/program.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/report/error_reporter.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

namespace tiktrend::report {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t max_queued = 100;
constexpr auto at_exit = 2s;

fetch::client_options client_options_for(const dsn& where, const reporter_options& o) {
    fetch::client_options c;
    fetch::address_guard::rules rules;
    if (auto entry = fetch::parse_allow_entry(where.host_port)) rules.allow.push_back(std::move(*entry));
    c.guard = fetch::address_guard{std::move(rules)};
    c.user_agent = "tiktrend/" + std::string{project_version()};
    c.max_redirects = 0;
    c.connect_timeout = 1500ms;
    c.first_byte_timeout = 1500ms;
    c.total_timeout = 1800ms; // less than the time at exit
    c.ca_file = o.ca_file;
    return c;
}

std::string new_event_id() {
    return to_hex(random_bytes(16));
}

/// How long the server wants to hear nothing: Retry-After, or "seconds:categories:scope" of
/// X-Sentry-Rate-Limits (develop.sentry.dev/sdk/expected-features/rate-limiting).
std::chrono::seconds silence_wanted(const fetch::response& r) {
    for (const char* name : {"x-sentry-rate-limits", "retry-after"}) {
        const auto text = r.header_value(name);
        int seconds = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec == std::errc{} && seconds > 0)
            return std::min(std::chrono::seconds{seconds}, std::chrono::seconds{1h});
    }
    return r.status == 429 ? 60s : 0s;
}

task<void> post(fetch::client& client, const dsn& where, std::string body, std::chrono::seconds& silence) {
    fetch::request r{where.envelope_url};
    r.method = "POST";
    r.headers.push_back({"Content-Type", "application/x-sentry-envelope"});
    r.headers.push_back({"X-Sentry-Auth",
                         "Sentry sentry_version=7, sentry_client=tiktrend/" + std::string{project_version()} +
                             ", sentry_key=" + where.key,
                         true});
    r.body = std::move(body);
    const auto out = co_await client.fetch(r);
    if (out) silence = silence_wanted(*out);
}

} // namespace

error_reporter::error_reporter(dsn where, reporter_options options)
    : where_{std::move(where)}, options_{std::move(options)}, thread_{[this] { work(); }} {}

error_reporter::~error_reporter() {
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
        give_up_at_ = steady::now() + at_exit;
    }
    changed_.notify_all();
    thread_.join();
}

void error_reporter::submit(std::string_view log_line) {
    if (log_line.find(R"("level":"error")") == std::string_view::npos) return;
    {
        const std::lock_guard lock{mutex_};
        if (lines_.size() >= max_queued) return;
        lines_.emplace_back(log_line);
    }
    changed_.notify_one();
}

bool error_reporter::next(std::string& line) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return is_over_ || !lines_.empty(); });
    if (lines_.empty() || steady::now() >= give_up_at_) return false;
    line = std::move(lines_.front());
    lines_.pop_front();
    return true;
}

void error_reporter::work() {
    asio::io_context context{1};
    fetch::client client{context.get_executor(), client_options_for(where_, options_)};
    report_limit limit{options_.per_minute, options_.same_every};
    const auto run = [&context](task<void> work) {
        context.restart();
        // A report that fails is dropped; there is nobody to tell but the log, which would report it.
        asio::co_spawn(context, std::move(work), [](const std::exception_ptr&) {});
        context.run();
    };
    for (std::string line; next(line);) {
        const auto kind = kind_of(line);
        if (!kind) continue;
        const auto verdict = limit.decide(*kind, steady::now());
        if (!verdict.is_sent) continue;
        const auto id = new_event_id();
        const auto event = make_event(line, options_.from, id, verdict.suppressed);
        std::chrono::seconds silence{0};
        run(post(client, where_, make_envelope(*event, id), silence));
        if (silence > 0s) limit.silence_until(steady::now() + silence);
    }
    run(client.stop());
}

logger reporting_logger(log_level level, std::string_view dsn_text, reporter_options options) {
    const auto where = parse_dsn(dsn_text);
    if (!where) return logger::to_stderr(level);
    auto reporter = std::make_shared<error_reporter>(*where, std::move(options));
    return logger::to_sink(level, [reporter](std::string_view line) {
        std::string whole{line};
        whole += '\n';
        std::fwrite(whole.data(), 1, whole.size(), stderr);
        reporter->submit(line);
    });
}

} // namespace tiktrend::report
