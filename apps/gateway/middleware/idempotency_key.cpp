#include "middleware/idempotency_key.hpp"

#include <tiktrend/http/problem.hpp>

#include <algorithm>

namespace tiktrend::gateway {
namespace {

constexpr std::size_t max_key = 255;

} // namespace

std::string read_idempotency_key(const http::request& r) {
    auto text = r.headers.get(idempotency_key_header);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text.remove_prefix(1);
        text.remove_suffix(1);
    }
    const bool printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"'; });
    if (r.headers.count(idempotency_key_header) != 1 || text.empty() || text.size() > max_key || !printable)
        throw http::problem(400, "bad_idempotency_key",
                            "Idempotency-Key should be sent once: 1 to 255 visible ASCII characters.");
    return std::string{text};
}

} // namespace tiktrend::gateway
