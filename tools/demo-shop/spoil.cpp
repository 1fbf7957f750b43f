// Each fault as bytes on the wire.
#include "fault.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

namespace tiktrend::demo_shop {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t default_bytes = 64ULL << 20;
constexpr std::size_t block_size = 64U << 10;
constexpr const char* private_address = "http://169.254.169.254/latest/meta-data/";

std::string head(int status, const http::headers& fields, std::string_view framing) {
    auto out = fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\n{}\r\n", status,
                           http::reason_phrase(status), framing);
    for (const auto& [name, value] : fields)
        out += fmt::format("{}: {}\r\n", name, value);
    return out + "\r\n";
}

std::string length(std::size_t n) {
    return fmt::format("Content-Length: {}", n);
}

/// A whole answer in one go, and how the connection ends.
task<void> send_bytes(http::raw_connection& c, std::string bytes, bool reset) {
    co_await c.write(bytes);
    if (reset) c.reset_at_end();
}

task<void> send_slowly(http::raw_connection& c, std::string bytes, std::size_t at_once,
                       std::chrono::milliseconds pause) {
    for (std::string_view rest = bytes; !rest.empty();) {
        const auto n = std::min(at_once, rest.size());
        co_await c.write(rest.substr(0, n));
        rest.remove_prefix(n);
        at_once = 1; // the head goes at once, then byte by byte
        co_await sleep_for(pause);
    }
}

task<void> send_answer_late(http::raw_connection& c, std::string bytes, std::chrono::milliseconds pause) {
    co_await sleep_for(pause);
    co_await c.write(bytes);
}

task<void> send_for_ever(http::raw_connection& c, std::string begin) {
    co_await c.write(begin);
    const auto chunk = fmt::format("{:x}\r\n{}\r\n", block_size, std::string(block_size, ' '));
    for (;;)
        co_await c.write(chunk);
}

/// A JSON document whose one long string makes up the size.
task<void> send_much(http::raw_connection& c, http::headers fields, std::uint64_t bytes) {
    const std::string_view begin = R"({"products":[],"padding":")", end = R"("})";
    co_await c.write(head(200, fields, length(bytes + begin.size() + end.size())));
    co_await c.write(begin);
    const std::string block(block_size, 'x');
    while (bytes > 0) {
        const auto n = std::min<std::uint64_t>(bytes, block.size());
        co_await c.write(std::string_view{block}.substr(0, n));
        bytes -= n;
    }
    co_await c.write(end);
}

task<void> say_nothing(http::raw_connection&) {
    co_await sleep_for(24h);
}

http::response raw(std::function<task<void>(http::raw_connection&)> writer) {
    http::response r;
    r.takeover = std::move(writer);
    return r;
}

http::response raw_bytes(std::string bytes, bool reset = false) {
    return raw(
        [bytes = std::move(bytes), reset](http::raw_connection& c) { return send_bytes(c, bytes, reset); });
}

http::response redirect_to(const std::string& where) {
    auto r = http::response::empty(302);
    r.headers.set("Location", where);
    return r;
}

http::headers without_etag(http::headers h) {
    h.erase("ETag");
    return h;
}

http::response error_status(const fault& f) {
    auto r = http::response::text(f.status, fmt::format("the demo shop was asked to answer {}\n", f.status));
    if (f.retry_after)
        r.headers.set("Retry-After", std::to_string(*f.retry_after));
    else if (f.status == 429)
        r.headers.set("Retry-After", "1");
    return r;
}

std::chrono::milliseconds delay_or(const fault& f, std::chrono::milliseconds fallback) {
    return f.delay.count() > 0 ? f.delay : fallback;
}

} // namespace

http::response spoil(const fault& f, const http::request& r, http::response good) {
    const std::string body{good.body_view()};
    const auto fields = without_etag(good.headers);
    const auto half = body.substr(0, body.size() / 2);
    const auto whole = [&] { return head(good.status, good.headers, length(body.size())) + body; };
    switch (f.kind) {
    case fault_kind::status:
        return error_status(f);
    case fault_kind::slow:
        return raw([bytes = whole(), pause = delay_or(f, 5s)](http::raw_connection& c) {
            return send_answer_late(c, bytes, pause);
        });
    case fault_kind::hang:
        return raw(say_nothing);
    case fault_kind::drip:
        return raw([bytes = whole(), first = whole().size() - body.size() + 1, pause = delay_or(f, 100ms)](
                       http::raw_connection& c) { return send_slowly(c, bytes, first, pause); });
    case fault_kind::cut:
        return raw_bytes(head(200, fields, length(body.size())) + half);
    case fault_kind::reset:
        return raw_bytes(head(200, fields, length(body.size())) + half, true);
    case fault_kind::long_length:
        return raw_bytes(head(200, fields, length(body.size() + 1000)) + body);
    case fault_kind::short_length:
        return raw_bytes(head(200, fields, length(body.size() / 2)) + body);
    case fault_kind::truncated_gzip: {
        const auto packed = http::gzip(body);
        const auto part = packed.substr(0, packed.size() / 2);
        return raw_bytes(head(200, fields, "Content-Encoding: gzip\r\n" + length(part.size())) + part);
    }
    case fault_kind::gzip_bomb: {
        const auto packed = http::gzip(std::string(f.bytes ? f.bytes : default_bytes, ' '), 9);
        return raw_bytes(head(200, fields, "Content-Encoding: gzip\r\n" + length(packed.size())) + packed);
    }
    case fault_kind::empty: {
        auto out = http::response::empty(200);
        out.headers = fields;
        return out;
    }
    case fault_kind::html:
        return http::response::text(200, "<!doctype html><html><body><h1>Please wait...</h1></body></html>\n",
                                    "text/html; charset=utf-8");
    case fault_kind::bad_json: {
        auto out = http::response::json(200, half);
        return out;
    }
    case fault_kind::redirect_loop:
        return redirect_to(r.target);
    case fault_kind::redirect:
        return redirect_to(f.to.empty() ? private_address : f.to);
    case fault_kind::endless:
        return raw([begin = head(200, fields, "Transfer-Encoding: chunked")](http::raw_connection& c) {
            return send_for_ever(c, begin);
        });
    case fault_kind::huge:
        return raw([fields, bytes = f.bytes ? f.bytes : default_bytes](http::raw_connection& c) {
            return send_much(c, fields, bytes);
        });
    }
    return good;
}

} // namespace tiktrend::demo_shop
