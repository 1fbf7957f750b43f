#pragma once
#include <cstdint>
#include <string>

namespace tiktrend {

/// RFC 9562 UUID version 4, lower case with hyphens. Thread-safe.
std::string uuid_v4();

/// RFC 9562 UUID version 7: sortable by `unix_ms`, otherwise random. Thread-safe.
std::string uuid_v7(std::int64_t unix_ms);

} // namespace tiktrend
