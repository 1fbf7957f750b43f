#pragma once
#include <tiktrend/base/embedded.hpp>

namespace tiktrend::queue {

/// libs/queue/lua, compiled in (generated; see CMakeLists.txt).
std::span<const embedded_file> lua_files() noexcept;

} // namespace tiktrend::queue
