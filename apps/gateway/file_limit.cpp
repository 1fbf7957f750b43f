#include "file_limit.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <system_error>

namespace tiktrend::gateway {
namespace {

/// Listeners, Redis, PostgreSQL, timers, log, the endpoint for copies.
constexpr rlim_t others = 256;

} // namespace

void raise_file_limit(std::size_t connections, const logger& log) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const auto before = limit.rlim_cur;
    const auto wanted = static_cast<rlim_t>(connections) + others;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            log.warn("file_limit_not_raised",
                     {{"limit", before}, {"error", std::generic_category().message(errno)}});
            limit.rlim_cur = before;
        }
    }
    if (limit.rlim_cur < wanted)
        log.warn("file_limit_too_low",
                 {{"limit", limit.rlim_cur},
                  {"wanted", wanted},
                  {"effect", "fewer connections than HTTP_MAX_CONNECTIONS for each thread; raise "
                             "LimitNOFILE or ulimit -n"}});
}

} // namespace tiktrend::gateway
