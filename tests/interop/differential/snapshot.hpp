#pragma once
#include "redis_dump.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::interop {

namespace json = boost::json;

/// One key as it is compared: rows in the order that Redis keeps, or sorted where the type has none.
struct key_state {
    std::string type;
    std::int64_t ttl_ms = -1; ///< -1: no expiry
    std::vector<std::string> rows;
};

/// Every key of one side, named without its prefix (`P:q:wait`).
using snapshot = std::map<std::string, key_state>;

/// Both sides at one moment. `theirs` and `ours` are the two prefixes.
struct both_snapshots {
    snapshot theirs, ours;
};
both_snapshots take_snapshots(const std::string& theirs, const std::string& ours);

/// `text` with `prefix`: replaced by P:
std::string without_prefix(std::string text, const std::string& prefix);

} // namespace tiktrend::interop
