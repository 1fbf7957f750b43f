#pragma once
#include <hiredis/hiredis.h>

#include <memory>
#include <string>
#include <vector>

namespace tiktrend::testing {

using redis_connection = std::unique_ptr<redisContext, decltype(&redisFree)>;

/// Runs one command and gives the reply as text (arrays: one element a line, nil: "(nil)"). Throws
/// std::runtime_error on an error reply and without a connection; `where` is for its message.
std::string run_command(const redis_connection& c, const std::string& where,
                        const std::vector<std::string>& words);

} // namespace tiktrend::testing
