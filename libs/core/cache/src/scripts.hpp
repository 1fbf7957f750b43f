#pragma once
#include <tiktrend/redis/script.hpp>

#include <cstdint>
#include <string>

namespace tiktrend::cache {

// The scripts of lua/; they live for ever.
const redis::script& fill_script();
const redis::script& invalidate_script();
const redis::script& clear_script();

/// 20 digits, so that text compares as the numbers do.
std::string lsn_text(std::uint64_t lsn);
/// 16 hex digits that were never used before.
std::string fresh_token();

} // namespace tiktrend::cache
