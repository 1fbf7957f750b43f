#include "worker_connection.hpp"

#include <algorithm>

namespace tiktrend::queue {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// A lock lives for half of its duration when its renewal is due, and for a quarter when an outage that began
// then is over. In that quarter must fit: an attempt to connect that still ran into the outage (an eighth),
// the pause before the next one (a tenth) and the renewal's own (a twentieth, see lock_renewer, which runs
// meanwhile). A silence is noticed while the outage lasts. No limit is below a second, for servers that are
// only slow. A fleet that waits for its server asks about once a second and connection (full jitter), which
// is no load.
redis::client_options connection_for(const worker_options& options) {
    redis::client_options o;
    o.reconnect_max = std::clamp<milliseconds>(options.lock_duration / 10, o.reconnect_min, 2s);
    o.command_timeout = std::clamp<milliseconds>(options.lock_duration / 4, 1s, o.command_timeout);
    o.connect_timeout = std::clamp<milliseconds>(options.lock_duration / 8, 1s, o.connect_timeout);
    o.no_evict = true;
    o.log = options.log;
    return o;
}

} // namespace tiktrend::queue
