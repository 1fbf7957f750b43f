#include "scripts.hpp"

#include <tiktrend/base/embedded.hpp>
#include <tiktrend/base/random.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <random>

namespace tiktrend::cache {
namespace lua {
std::span<const embedded_file> files() noexcept;
}
namespace {

redis::script load(std::string_view name) {
    return {name, std::string{embedded_text(lua::files(), name)}};
}

} // namespace

const redis::script& fill_script() {
    static const auto s = load("fill.lua");
    return s;
}

const redis::script& invalidate_script() {
    static const auto s = load("invalidate.lua");
    return s;
}

const redis::script& clear_script() {
    static const auto s = load("clear.lua");
    return s;
}

std::string lsn_text(std::uint64_t lsn) {
    return fmt::format("{:020}", lsn);
}

/// Unique, not secret: OpenSSL's generator is asked for the seed alone, as each call to it costs as much as
/// the rest of an invalidation.
std::string fresh_token() {
    thread_local std::mt19937_64 numbers = [] {
        std::uint64_t seed = 0;
        random_bytes(sizeof seed).copy(reinterpret_cast<char*>(&seed), sizeof seed);
        return std::mt19937_64{seed};
    }();
    return fmt::format("{:016x}", numbers());
}

} // namespace tiktrend::cache
