#include "scripts.hpp"

#include <tiktrend/base/embedded.hpp>
#include <tiktrend/base/random.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace tiktrend::cache {
namespace lua {
std::span<const embedded_file> files() noexcept;
}
namespace {

redis::script load(std::string_view name) {
    for (const auto& f : lua::files())
        if (f.name == name) return {name, std::string{f.text}};
    throw std::logic_error("no script " + std::string{name});
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
    std::string out;
    for (const char c : random_bytes(8))
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    return out;
}

} // namespace tiktrend::cache
