#pragma once
#include <sys/types.h>

#include <string>

namespace tiktrend::bench {

/// Milliseconds from starting another process like `running` (its program, its environment, ports of its own)
/// to its first 200 for GET /health/ready; the process is stopped again. `port_name` is the line of its
/// PORT_FILE that holds the port which answers ("GATEWAY_PORT"). Throws std::runtime_error if it is not ready
/// within 30 s.
double milliseconds_to_ready(pid_t running, const std::string& port_name);

} // namespace tiktrend::bench
