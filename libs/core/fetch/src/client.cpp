#include "curl_driver.hpp"
#include "transfer.hpp"
#include "transfer_slots.hpp"

#include <tiktrend/fetch/client.hpp>
#include <tiktrend/fetch/secrets.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <unordered_set>

namespace tiktrend::fetch {
namespace {

constexpr std::size_t max_idle_handles = 32;

bool is_redirect(int status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// RFC 9110 section 15.4: a 303 asks for a GET, and for 301 and 302 a POST becomes one, as every browser
/// does.
bool becomes_get(int status, const std::string& method) noexcept {
    if (method == "GET" || method == "HEAD") return false;
    return status == 303 || ((status == 301 || status == 302) && method == "POST");
}

/// Header injection: a line break in a name or value would start another header or request.
bool is_sendable(const header& h) noexcept {
    const auto has = [](const std::string& text, std::string_view bytes) {
        return text.find_first_of(bytes) != std::string::npos;
    };
    return !h.name.empty() && !has(h.name, std::string_view{"\r\n\0:; \t", 7}) &&
           !has(h.value, std::string_view{"\r\n\0", 3});
}

bool is_method(const std::string& m) noexcept {
    return !m.empty() && m.size() <= 16 &&
           std::all_of(m.begin(), m.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

} // namespace

std::string_view response::header_value(std::string_view name) const noexcept {
    for (const auto& h : headers)
        if (h.name == name) return h.value;
    return {};
}

bool response::has_header(std::string_view name) const noexcept {
    return std::any_of(headers.begin(), headers.end(), [&](const header& h) { return h.name == name; });
}

void throw_exception_from_error(const failure& f, const boost::source_location&) {
    throw fetch_error{f};
}

struct client::impl {
    impl(asio::any_io_executor ex, client_options o)
        : executor{ex}, options{std::move(o)},
          slots{ex, options.max_per_host, options.max_total, options.max_waiting}, idle{ex},
          driver{ex,
                 {static_cast<long>(options.max_per_host), static_cast<long>(options.max_total)},
                 [](CURL* easy, CURLcode code) { transfer::of(easy)->finished(code); }} {
        idle.set();
    }

    task<outcome> fetch(const request& r);
    task<outcome> follow(const request& r);
    task<std::optional<failure>> run_hop(const hop& h, response& out);
    easy_handle take_handle();
    void give_back(easy_handle h);
    failure fail(failure_kind kind, std::string detail) const;

    asio::any_io_executor executor;
    client_options options;
    client_stats counted;
    transfer_slots slots;
    event idle; ///< set while no fetch runs
    std::size_t running = 0;
    bool is_stopping = false;
    std::unordered_set<transfer*> transfers;
    std::vector<easy_handle> handles;
    curl_driver driver; // before the handles goes the multi they were in
};

easy_handle client::impl::take_handle() {
    if (handles.empty()) {
        easy_handle fresh{curl_easy_init()};
        if (!fresh) throw std::bad_alloc{};
        return fresh;
    }
    auto h = std::move(handles.back());
    handles.pop_back();
    return h;
}

void client::impl::give_back(easy_handle h) {
    if (handles.size() < max_idle_handles) handles.push_back(std::move(h));
}

failure client::impl::fail(failure_kind kind, std::string detail) const {
    failure f;
    f.kind = kind;
    f.cls = class_of(kind);
    f.detail = std::move(detail);
    return f;
}

task<std::optional<failure>> client::impl::run_hop(const hop& h, response& out) {
    ++counted.requests;
    auto easy = take_handle();
    std::optional<failure> why;
    {
        transfer t{executor, easy.get(), options, h};
        struct registration {
            impl& owner;
            transfer& t;
            ~registration() {
                owner.transfers.erase(&t);
                owner.counted.bytes_received += t.bytes_received();
                owner.counted.connections += static_cast<std::uint64_t>(t.connections_opened());
                if (t.has_suspicious_ratio()) ++owner.counted.suspicious_ratios;
            }
        };
        transfers.insert(&t);
        const registration entry{*this, t};
        co_await t.run(driver);
        counted.bytes_decoded += t.bytes_decoded();
        why = t.why();
        if (why) {
            why->bytes_received = t.bytes_received();
            why->bytes_decoded = t.bytes_decoded();
        } else {
            out = t.take_response();
            out.bytes_received = t.bytes_received();
        }
    }
    give_back(std::move(easy));
    co_return why;
}

task<outcome> client::impl::follow(const request& r) {
    const auto started = std::chrono::steady_clock::now();
    auto left = r.total_timeout.count() > 0 ? r.total_timeout : options.total_timeout;
    if (!is_method(r.method) || !std::all_of(r.headers.begin(), r.headers.end(), is_sendable))
        co_return fail(failure_kind::bad_url, "the method or a header of the request cannot be sent");

    std::string method = r.method;
    std::string_view body = r.body;
    bool send_secrets = true;
    std::vector<std::string> behind;
    auto where = parse_url(r.url);
    if (!where) co_return fail(where.error(), "not a URL that may be fetched");
    for (;;) {
        const auto with_place = [&](failure f) {
            f.url = where->for_log();
            f.redirects = static_cast<int>(behind.size());
            return f;
        };
        if (const auto refused = options.guard.check(*where))
            co_return with_place(fail(*refused, fmt::format("{} port {}", where->host, where->port)));
        if (behind.empty() && r.allow_host && !r.allow_host(where->host))
            co_return with_place(
                fail(failure_kind::host_not_allowed, where->host + " is not a host of this source"));

        response answer;
        {
            const auto slot = co_await slots.acquire(where->origin(),
                                                     std::chrono::steady_clock::now() + options.slot_timeout);
            if (is_stopping) co_return with_place(fail(failure_kind::cancelled, "the client stopped"));
            if (!slot) co_return with_place(fail(failure_kind::overloaded, "no free slot for a transfer"));
            const auto hop_started = std::chrono::steady_clock::now();
            const hop h{*where,
                        method,
                        r.headers,
                        send_secrets,
                        body,
                        r.max_body_bytes ? r.max_body_bytes : options.max_body_bytes,
                        r.cut_body,
                        hop_started + left,
                        r.cookies.get(),
                        r.proxy};
            auto why = co_await run_hop(h, answer);
            if (why) co_return with_place(std::move(*why));
            left -= std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                          hop_started);
        }
        const std::string location{is_redirect(answer.status) ? answer.header_value("location")
                                                              : std::string_view{}};
        std::optional<result<url, failure_kind>> next;
        if (!location.empty()) next = resolve(*where, location);
        bool may_follow = next && (!*next || !r.allow_host || r.allow_host((*next)->host));
        const bool sends_on = !body.empty() && !becomes_get(answer.status, method);
        if (r.has_secret_body && sends_on && may_follow && *next && (*next)->origin() != where->origin())
            may_follow = false;
        // Nobody is asked about a place that is refused below in any case.
        const bool is_possible = may_follow && *next && !options.guard.check(**next) &&
                                 behind.size() < static_cast<std::size_t>(options.max_redirects);
        if (is_possible && r.may_follow) may_follow = co_await r.may_follow(**next);
        if (!may_follow) {
            answer.url = where->text;
            answer.redirects = std::move(behind);
            answer.total_time = std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::steady_clock::now() - started);
            co_return answer;
        }
        if (behind.size() >= static_cast<std::size_t>(options.max_redirects))
            co_return with_place(
                fail(failure_kind::too_many_redirects, fmt::format("after {}", options.max_redirects)));
        if (!*next)
            co_return with_place(fail(next->error(), "redirected to something that may not be fetched"));
        ++counted.redirects;
        if (becomes_get(answer.status, method)) {
            method = "GET";
            body = {};
        }
        // Once away from the first origin they stay away: whoever redirects back chooses the path.
        if ((*next)->origin() != where->origin()) send_secrets = false;
        behind.push_back(where->text);
        where = std::move(*next);
    }
}

task<outcome> client::impl::fetch(const request& r) {
    if (is_stopping) co_return fail(failure_kind::cancelled, "the client stopped");
    struct running_fetch {
        impl& owner;
        explicit running_fetch(impl& o) : owner{o} {
            ++owner.running;
            owner.idle.reset();
        }
        ~running_fetch() {
            if (--owner.running == 0) owner.idle.set();
        }
    };
    const running_fetch mark{*this};
    auto out = co_await follow(r);
    if (out) {
        ++counted.responses;
        co_return out;
    }
    auto f = std::move(out).error();
    ++counted.failures[static_cast<std::size_t>(f.kind)];
    f.detail = masked(std::move(f.detail), r.secrets);
    f.url = masked(std::move(f.url), r.secrets);
    co_return f;
}

client::client(asio::any_io_executor executor, client_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(options))} {}

client::~client() {
    assert(impl_->running == 0 && "await stop() before the client goes");
}

task<outcome> client::fetch(const request& r) {
    return impl_->fetch(r);
}

task<void> client::stop() {
    impl_->is_stopping = true;
    impl_->slots.close();
    for (auto* t : impl_->transfers)
        t->fail(failure_kind::cancelled, "the client stopped");
    while (impl_->running != 0)
        co_await impl_->idle.wait();
}

client_stats client::stats() const noexcept {
    auto out = impl_->counted;
    out.in_flight = impl_->slots.in_use();
    out.waiting = impl_->slots.waiting();
    return out;
}

} // namespace tiktrend::fetch
