#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace tiktrend::http {

/// Makes request ids: UUID version 7 as base/ids.hpp, from a generator of its own, because an id is a name,
/// not a secret, and the system's secure source would cost more than the rest of a cached answer.
class request_id_source {
public:
    request_id_source();
    /// Writes 36 characters over `out`.
    void next(std::int64_t unix_ms, std::string& out);

private:
    std::mt19937_64 engine_;
};

/// `^[A-Za-z0-9._-]{1,128}$`: what may be taken over from a trusted proxy.
bool is_request_id(std::string_view text) noexcept;

} // namespace tiktrend::http
