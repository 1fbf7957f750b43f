#pragma once
#include <tiktrend/base/config_reader.hpp>

#include <string>

namespace tiktrend::cli {

/// REDIS_QUEUE_URL: whatever gateway and worker take. A wrong one is among the reader's errors.
inline std::string queue_redis_url(config_reader& r) {
    return r.url(
        "REDIS_QUEUE_URL", "redis://127.0.0.1:6379/0",
        {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"});
}

/// REDIS_CACHE_URL: the same but no cluster, whose keys the gateway cannot follow.
inline std::string cache_redis_url(config_reader& r) {
    return r.url("REDIS_CACHE_URL", "redis://127.0.0.1:6380/0",
                 {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"});
}

/// What to say of one that cannot be read.
inline constexpr const char* redis_url_forms = "redis://[user[:password]@]host[:port][/db], rediss://…, "
                                               "unix:///path, redis+sentinel://host[:port],…/master or "
                                               "redis+cluster://host:port,…";

} // namespace tiktrend::cli
