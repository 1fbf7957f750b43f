#include "response_head.hpp"

#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace tiktrend::http {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::string& out, std::uint64_t n) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
    out.append(digits, end);
}

/// Fields that only the server may write, since they decide where the message ends.
bool belongs_to_server(std::string_view name) noexcept {
    switch (name.size()) {
    case 4:
        return equal_ignoring_case(name, "Date");
    case 7:
        return equal_ignoring_case(name, "Trailer");
    case 10:
        return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Keep-Alive");
    case 12:
        return equal_ignoring_case(name, "X-Request-Id");
    case 14:
        return equal_ignoring_case(name, "Content-Length");
    case 17:
        return equal_ignoring_case(name, "Transfer-Encoding");
    default:
        return false;
    }
}

} // namespace

bool may_have_body(int status) noexcept {
    return status >= 200 && status != 204 && status != 304;
}

void append_head(std::string& out, const response& r, const head_options& o) {
    if (r.status == 200) {
        out.append("HTTP/1.1 200 OK\r\n");
    } else {
        out.append("HTTP/1.1 ");
        append_number(out, static_cast<std::uint64_t>(r.status));
        out += ' ';
        out.append(reason_phrase(r.status)).append("\r\n");
    }
    append_field(out, "Date", o.date);
    if (!o.request_id.empty()) append_field(out, "X-Request-Id", o.request_id);
    for (std::size_t i = 0; i < r.headers.size(); ++i) {
        const auto f = r.headers.at(i);
        if (!belongs_to_server(f.name)) append_field(out, f.name, f.value);
    }
    if (o.chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (o.content_length) {
        out.append("Content-Length: ");
        append_number(out, *o.content_length);
        out.append("\r\n");
    }
    if (!o.keep_alive)
        out.append("Connection: close\r\n");
    else if (o.minor_version == 0)
        out.append("Connection: keep-alive\r\n");
    out.append("\r\n");
}

std::string http_date(std::int64_t unix_seconds) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm t{};
    gmtime_r(&time, &t);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[t.tm_wday], t.tm_mday,
                       months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

} // namespace tiktrend::http
