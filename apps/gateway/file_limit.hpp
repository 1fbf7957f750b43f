#pragma once
#include <tiktrend/base/log.hpp>

#include <cstddef>

namespace tiktrend::gateway {

/// Raises this process's limit of open files as far as it may (the soft limit to the hard one, getrlimit(2)),
/// and says in the log when that is not enough for `connections` clients and what else the gateway opens.
/// Nothing is refused because of it: a gateway at its limit accepts no more until others have left.
void raise_file_limit(std::size_t connections, const logger& log);

} // namespace tiktrend::gateway
