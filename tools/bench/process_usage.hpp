#pragma once
#include <sys/types.h>

namespace tiktrend::bench {

/// Processor time that a process has used so far: utime and stime of /proc/PID/stat (proc(5)), to a hundredth
/// of a second. Throws std::runtime_error if there is no such process.
double cpu_seconds_of(pid_t pid);

/// The most memory that a process has held at once: VmHWM of /proc/PID/status.
double peak_mib_of(pid_t pid);

} // namespace tiktrend::bench
