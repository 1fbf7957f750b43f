#include "worker_check.hpp"

#include "backoff.hpp"

#include <algorithm>
#include <stdexcept>

namespace tiktrend::queue {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds shortest_lock{100};

/// Redis takes no expiry that ends beyond its calendar.
void bound(milliseconds& value, milliseconds least) {
    value = std::clamp<milliseconds>(value, least, max_delay);
}

void check_window(std::int64_t& most, milliseconds& window, const char* name) {
    most = std::max<std::int64_t>(most, 0);
    bound(window, milliseconds{0});
    if (most > 0 && window.count() == 0)
        throw std::invalid_argument(std::string{name} +
                                    " has no window: the limit of starts needs a duration");
}

} // namespace

worker_options checked(worker_options o) {
    o.concurrency = std::max<std::size_t>(o.concurrency, 1);
    if (!o.random) o.random = std::make_shared<default_random>();
    bound(o.lock_duration, shortest_lock);
    bound(o.stalled_interval, shortest_lock);
    bound(o.maximum_rate_limit_delay, milliseconds{0});
    check_window(o.limiter_max, o.limiter_duration, "limiter_max");
    check_window(o.group.limit_max, o.group.limit_duration, "group.limit_max");
    if (o.name.find(' ') != std::string::npos)
        throw std::invalid_argument("a worker's name has no blanks: " + o.name);
    return o;
}

} // namespace tiktrend::queue
