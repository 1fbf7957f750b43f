#pragma once
#include <sys/types.h>

#include <map>
#include <string>

namespace tiktrend::bench {

/// Processor time that a process has used so far: /proc/PID/task/*/schedstat, or where that is missing utime
/// and stime of /proc/PID/stat (proc(5)), to a hundredth of a second. Use it for processes whose threads
/// stay. Throws std::runtime_error if there is no such process.
double cpu_seconds_of(pid_t pid);

/// Processor time of the children that this process has waited for.
double cpu_seconds_of_children();

/// The same of a process and all its children, those that it has waited for included: a PostgreSQL server.
double cpu_seconds_of_family(pid_t parent);

/// What a process was started with. Both throw std::runtime_error or std::filesystem::filesystem_error if
/// there is no such process.
std::map<std::string, std::string> environment_of(pid_t pid);
std::string program_of(pid_t pid);

/// The most memory that a process has held at once: VmHWM of /proc/PID/status.
double peak_mib_of(pid_t pid);
/// Lets peak_mib_of() begin anew (proc(5), clear_refs).
void forget_peak_of(pid_t pid);

} // namespace tiktrend::bench
