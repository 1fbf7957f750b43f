#pragma once
#include <tiktrend/http/message.hpp>

#include <string>
#include <string_view>

namespace tiktrend::gateway {

inline constexpr std::string_view idempotency_key_header = "idempotency-key";

/// The key's text: a structured-field string in quotes, as draft-ietf-httpapi-idempotency-key-header-07 has
/// it, or bare, as most clients send it. Throws problem 400 `bad_idempotency_key` unless it came once, with 1
/// to 255 visible ASCII characters.
std::string read_idempotency_key(const http::request& r);

} // namespace tiktrend::gateway
