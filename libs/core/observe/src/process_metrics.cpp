#include <tiktrend/observe/registry.hpp>

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace tiktrend::observe {
namespace {

/// proc(5): the second number of statm is the resident size in pages.
double resident_bytes() {
    std::ifstream in{"/proc/self/statm"};
    double total = 0, resident = 0;
    in >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double open_fds() {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir{::opendir("/proc/self/fd"), ::closedir};
    if (!dir) return 0;
    double n = 0;
    while (::readdir(dir.get()))
        ++n;
    return n - 3; // ".", ".." and the directory itself
}

double max_fds() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<double>(limit.rlim_cur);
}

} // namespace

registry::token add_process_metrics(registry& r, std::string_view version) {
    const auto cpu =
        r.make_counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.");
    const auto memory = r.make_gauge("process_resident_memory_bytes", "Resident memory size, in bytes.");
    const auto fds = r.make_gauge("process_open_fds", "Open file descriptors.");
    r.make_gauge("process_max_fds", "Most file descriptors that may be open.").set(max_fds());
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    r.make_gauge("process_start_time_seconds", "Start of the process, in seconds since the Unix epoch.")
        .set(static_cast<double>(now.tv_sec));
    r.gauges("tiktrend_build_info", "1, with the version as a label.", {"version"})(version).set(1);
    return r.on_collect([cpu, memory, fds] {
        cpu.add(cpu_seconds() - cpu.value());
        memory.set(resident_bytes());
        fds.set(open_fds());
    });
}

} // namespace tiktrend::observe
