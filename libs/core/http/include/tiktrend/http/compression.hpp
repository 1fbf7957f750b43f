#pragma once
#include <tiktrend/http/message.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::http {

enum class content_coding { identity, gzip };

/// What Accept-Encoding asks for (RFC 9110 section 12.5.3, with weights, "*" and "identity;q=0"). Gzip when
/// it is wanted at least as much as the plain form; plain without the field. Nothing: neither may be sent,
/// which is answered with 406.
std::optional<content_coding> choose_coding(const headers& request_headers);
/// As above for one field value.
std::optional<content_coding> choose_coding(std::string_view accept_encoding);

/// RFC 1952. `level` as zlib's, 1 to 9. Throws std::bad_alloc only.
std::string gzip(std::string_view text, int level = 6);

/// Smaller bodies gain nothing.
inline constexpr std::size_t least_gzip_bytes = 1024;

/// Compresses `r.body` (not a shared one, whose owner keeps both forms) if the client wants it, it has at
/// least least_gzip_bytes and is JSON or text: sets Content-Encoding and Vary and gives a strong ETag its
/// "-gz" suffix. Throws problem 406 if the client accepts neither form.
void compress(const request& req, response& r);

/// Adds a name to Vary unless it is there.
void add_vary(headers& h, std::string_view name);

} // namespace tiktrend::http
