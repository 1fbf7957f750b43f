#include <tiktrend/postgres/lsn.hpp>

#include <fmt/format.h>

#include <charconv>

namespace tiktrend::postgres {
namespace {

bool parse_hex(std::string_view text, std::uint32_t& out) noexcept {
    if (text.empty() || text.size() > 8) return false;
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, out, 16);
    return ec == std::errc{} && at == end;
}

} // namespace

std::optional<lsn> lsn::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    std::uint32_t high = 0, low = 0;
    if (slash == std::string_view::npos || !parse_hex(text.substr(0, slash), high) ||
        !parse_hex(text.substr(slash + 1), low))
        return std::nullopt;
    return lsn{(std::uint64_t{high} << 32) | low};
}

std::string lsn::to_string() const {
    return fmt::format("{:X}/{:X}", value >> 32, value & 0xFFFF'FFFFU);
}

} // namespace tiktrend::postgres
