#include "process_usage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
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

} // namespace

double cpu_seconds_of(pid_t pid) {
    const auto text = read_proc(pid, "stat");
    // Fields are counted after the name, which stands in parentheses and may hold anything.
    std::istringstream fields{text.substr(text.rfind(')') + 1)};
    std::string skipped;
    for (int i = 0; i < 11; ++i)
        fields >> skipped;
    double user = 0, system = 0;
    if (!(fields >> user >> system))
        throw std::runtime_error(fmt::format("/proc/{}/stat has too few fields", pid));
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double peak_mib_of(pid_t pid) {
    const auto text = read_proc(pid, "status");
    const auto at = text.find("VmHWM:");
    if (at == std::string::npos) throw std::runtime_error(fmt::format("/proc/{}/status has no VmHWM", pid));
    return std::stod(text.substr(at + 6)) / 1024;
}

} // namespace tiktrend::bench
