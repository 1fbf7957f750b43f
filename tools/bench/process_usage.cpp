#include "process_usage.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace tiktrend::bench {
namespace {

std::string read_proc(pid_t pid, const char* name) {
    std::ifstream file{fmt::format("/proc/{}/{}", pid, name)};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (text.empty()) throw std::runtime_error(fmt::format("process {} is gone", pid));
    return text;
}

/// In nanoseconds, summed over the threads that live; nothing where the kernel keeps no such account.
std::optional<double> exact_cpu_seconds_of(pid_t pid) {
    double sum = 0;
    std::error_code gone;
    for (const auto& thread : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", pid), gone}) {
        std::ifstream file{thread.path() / "schedstat"};
        double nanoseconds = 0;
        if (!(file >> nanoseconds)) return std::nullopt;
        sum += nanoseconds;
    }
    return sum > 0 ? std::optional{sum / 1e9} : std::nullopt;
}

/// Two fields of /proc/PID/stat, `skip` behind utime, in seconds.
double ticks_of(pid_t pid, int skip) {
    const auto text = read_proc(pid, "stat");
    // Fields are counted after the name, which stands in parentheses and may hold anything.
    std::istringstream fields{text.substr(text.rfind(')') + 1)};
    std::string skipped;
    for (int i = 0; i < 11 + skip; ++i)
        fields >> skipped;
    double user = 0, system = 0;
    if (!(fields >> user >> system))
        throw std::runtime_error(fmt::format("/proc/{}/stat has too few fields", pid));
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

} // namespace

double cpu_seconds_of(pid_t pid) {
    if (const auto exact = exact_cpu_seconds_of(pid)) return *exact;
    return ticks_of(pid, 0);
}

double cpu_seconds_of_family(pid_t parent) {
    // Those that it has waited for: cutime and cstime.
    auto sum = cpu_seconds_of(parent) + ticks_of(parent, 2);
    std::ifstream children{fmt::format("/proc/{}/task/{}/children", parent, parent)};
    for (pid_t child = 0; children >> child;)
        if (const auto exact = exact_cpu_seconds_of(child)) sum += *exact; // else it has just ended
    return sum;
}

double cpu_seconds_of_children() {
    rusage u{};
    ::getrusage(RUSAGE_CHILDREN, &u);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

std::map<std::string, std::string> environment_of(pid_t pid) {
    std::map<std::string, std::string> out;
    std::istringstream words{read_proc(pid, "environ")};
    for (std::string word; std::getline(words, word, '\0');)
        if (const auto mark = word.find('='); mark != std::string::npos)
            out[word.substr(0, mark)] = word.substr(mark + 1);
    return out;
}

std::string program_of(pid_t pid) {
    return std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid)).string();
}

double peak_mib_of(pid_t pid) {
    const auto text = read_proc(pid, "status");
    const auto at = text.find("VmHWM:");
    if (at == std::string::npos) throw std::runtime_error(fmt::format("/proc/{}/status has no VmHWM", pid));
    return std::stod(text.substr(at + 6)) / 1024;
}

void forget_peak_of(pid_t pid) {
    std::ofstream file{fmt::format("/proc/{}/clear_refs", pid)};
    if (!(file << "5" << std::flush))
        throw std::runtime_error(fmt::format("/proc/{}/clear_refs refuses", pid));
}

} // namespace tiktrend::bench
