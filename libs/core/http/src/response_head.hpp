#pragma once
#include <tiktrend/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::http {

/// What the server itself puts on a response.
struct head_options {
    std::string_view date; ///< ready-made IMF-fixdate
    std::string_view request_id;
    int minor_version = 1; ///< of the request
    bool keep_alive = true;
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
};

/// Appends status line, fields and the empty line (RFC 9112 section 4). Fields that the server owns are left
/// out of the handler's headers.
void append_head(std::string& out, const response& r, const head_options& o);

/// False for statuses whose responses have neither body nor Content-Length (RFC 9110 section 6.4.1).
bool may_have_body(int status) noexcept;

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string http_date(std::int64_t unix_seconds);

} // namespace tiktrend::http
