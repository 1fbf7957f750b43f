#pragma once
#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::interop {

/// A key of the tests' Redis as it is.
struct dumped_key {
    std::string name;
    std::string type;         ///< as TYPE says
    std::int64_t ttl_ms = -1; ///< as PTTL says; -1: no expiry
    std::vector<std::vector<std::string>>
        rows; ///< one value; field and value; member and score; an entry's fields
};

/// Every key of a database, all seen at one moment.
std::vector<dumped_key> dump_redis(int database = 0);

/// JSON with sorted members and numbers in one form, so that the way a library writes it does not matter.
std::string canonical(const boost::json::value& v);

} // namespace tiktrend::interop
