#include "scripts.hpp"

#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/embedded.hpp>
#include <tiktrend/base/random.hpp>

#include <fmt/format.h>

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

std::string fresh_token() {
    return to_hex(random_bytes(8));
}

} // namespace tiktrend::cache
