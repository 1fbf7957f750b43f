#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::worker {

/// What a Retry-After header asks for (RFC 9110 section 10.2.3): seconds or an HTTP-date, at most `cap`. A
/// date in the past is zero, so that only our own backoff counts. Nothing for any other text: it is ignored.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, std::int64_t now_ms,
                                                           std::chrono::milliseconds cap);

} // namespace tiktrend::worker
