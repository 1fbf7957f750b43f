#include <tiktrend/access/key_source.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/fetch/url.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tiktrend::access {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_bytes = 256 << 10;
constexpr auto retry_first = 1s; ///< before the first success

/// The operator names this one host, so it may be a private one.
fetch::client_options client_options(const key_source_options& o) {
    fetch::client_options out;
    out.max_body_bytes = max_bytes;
    out.total_timeout = o.timeout;
    out.connect_timeout = o.timeout;
    out.max_redirects = 2;
    out.ca_file = o.ca_file;
    out.log = o.log;
    fetch::address_guard::rules rules;
    if (const auto url = fetch::parse_url(o.location)) {
        const auto host = url->host.find(':') == std::string::npos ? url->host : '[' + url->host + ']';
        if (auto entry = fetch::parse_allow_entry(host + ":*")) rules.allow.push_back(std::move(*entry));
    }
    out.guard = fetch::address_guard{std::move(rules)};
    return out;
}

} // namespace

key_source::key_source(asio::any_io_executor executor, key_source_options options)
    : options_{std::move(options)},
      is_url_{options_.location.starts_with("https://") || options_.location.starts_with("http://")},
      client_{executor, client_options(options_)}, read_{executor}, tasks_{executor} {}

void key_source::start() {
    tasks_.spawn("refresh", refresh_for_ever());
}

task<void> key_source::stop() {
    tasks_.cancel();
    co_await tasks_.join();
    co_await client_.stop();
}

task<void> key_source::refresh_for_ever() {
    for (;;) {
        co_await read();
        co_await sleep_for(keys_ ? options_.refresh : std::chrono::milliseconds{retry_first});
    }
}

task<void> key_source::refresh_for_miss() {
    const auto now = std::chrono::steady_clock::now();
    // Without keys yet, sooner; but strangers' tokens do not decide how often.
    const auto pause = keys_ ? options_.between_misses
                             : std::min<std::chrono::milliseconds>(options_.between_misses, retry_first);
    if (!read_.is_taken() && tried_at_ && now - *tried_at_ < pause) co_return;
    co_await read();
}

task<void> key_source::read() {
    if (read_.is_taken()) co_return co_await read_.wait();
    const auto mine = read_.take();
    tried_at_ = std::chrono::steady_clock::now();
    try {
        auto read = parse_key_set(co_await text());
        if (!read) throw system_error(read.error());
        keys_ = std::make_shared<const key_set>(std::move(*read));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        options_.log.warn("jwks_not_read", {{"location", options_.location}, {"error", e.what()}});
    } catch (const std::exception& e) {
        options_.log.warn("jwks_not_read", {{"location", options_.location}, {"error", e.what()}});
    }
}

task<std::string> key_source::text() {
    if (!is_url_) { // small and local: read in place
        std::ifstream file{options_.location, std::ios::binary};
        if (!file) throw std::runtime_error("cannot open the file");
        std::string out(max_bytes, '\0');
        file.read(out.data(), static_cast<std::streamsize>(out.size()));
        out.resize(static_cast<std::size_t>(file.gcount()));
        co_return out;
    }
    const fetch::request wanted{options_.location};
    auto got = co_await client_.fetch(wanted);
    if (!got) throw std::runtime_error(got.error().message());
    if (got->status != 200) throw std::runtime_error("status " + std::to_string(got->status));
    co_return std::move(got->body);
}

} // namespace tiktrend::access
