#pragma once
#include <tiktrend/http/message.hpp>

#include <string>
#include <string_view>

namespace tiktrend::http {

/// `W/"…"` from the body's SHA-256. Weak, because the same body may be sent in several codings (RFC 9110
/// section 8.8.3).
std::string weak_etag(std::string_view body);

/// True if one If-None-Match field value names `etag` by weak comparison, or is "*" (RFC 9110
/// sections 8.8.3.2 and 13.1.2).
bool names_etag(std::string_view if_none_match, std::string_view etag) noexcept;

/// True if the request's If-None-Match, in all its fields, names `etag`: answer with not_modified().
bool is_unmodified(const request& r, std::string_view etag) noexcept;

/// 304 with the fields of `full` that a cache needs (RFC 9110 section 15.4.5): all but those that describe
/// the body.
response not_modified(const response& full);

} // namespace tiktrend::http
