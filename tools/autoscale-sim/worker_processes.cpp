#include "worker_processes.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <system_error>

namespace tiktrend::autoscale {
namespace {

/// In the child: becomes the command. Nothing here may throw or lock.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* log) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM); // a controller that was killed leaves no fleet behind
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execvpe(arguments[0], arguments, environment);
    ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& t : texts)
        out.push_back(t.data());
    out.push_back(nullptr);
    return out;
}

} // namespace

worker_processes::worker_processes(std::vector<std::string> command, std::filesystem::path directory,
                                   moment grace)
    : command_{std::move(command)}, directory_{std::move(directory)}, grace_{grace} {
    std::filesystem::create_directories(directory_);
}

worker_processes::~worker_processes() {
    for (const auto& w : workers_) {
        ::kill(w.pid, SIGKILL);
        ::waitpid(w.pid, nullptr, 0);
    }
}

void worker_processes::start() {
    process p{.pid = 0, .name = "worker-" + std::to_string(++started_)};
    std::filesystem::remove(port_file(p));
    std::vector<std::string> variables{"WORKER_NAME=" + p.name, "METRICS_PORT=0",
                                       "PORT_FILE=" + port_file(p).string()};
    for (char** e = environ; *e; ++e) {
        const std::string entry{*e};
        const auto name = entry.substr(0, entry.find('=') + 1);
        if (name != "WORKER_NAME=" && name != "METRICS_PORT=" && name != "PORT_FILE=")
            variables.push_back(entry);
    }
    auto arguments = pointers(command_);
    auto environment = pointers(variables);
    const auto log = (directory_ / (p.name + ".log")).string();
    p.pid = ::fork();
    if (p.pid < 0) throw std::system_error{errno, std::generic_category(), "fork"};
    if (p.pid == 0) become(arguments.data(), environment.data(), log.c_str());
    workers_.push_back(std::move(p));
}

void worker_processes::stop_youngest(moment now) {
    for (auto w = workers_.rbegin(); w != workers_.rend(); ++w) {
        if (w->is_stopping) continue;
        w->is_stopping = true;
        w->kill_at = now + grace_;
        ::kill(w->pid, SIGTERM);
        return;
    }
}

void worker_processes::stop_all(moment now) {
    while (replicas() > 0)
        stop_youngest(now);
}

void worker_processes::reap(moment now) {
    std::erase_if(workers_, [&](process& w) {
        int status = 0;
        if (::waitpid(w.pid, &status, WNOHANG) == w.pid) {
            if (!w.is_stopping || !WIFEXITED(status) || WEXITSTATUS(status) != 0) ++failures_;
            return true;
        }
        if (w.is_stopping && now >= w.kill_at) ::kill(w.pid, SIGKILL);
        return false;
    });
}

int worker_processes::replicas() const {
    return static_cast<int>(std::ranges::count_if(workers_, [](const process& w) { return !w.is_stopping; }));
}

int worker_processes::taking_jobs() const {
    return static_cast<int>(std::ranges::count_if(
        workers_, [&](const process& w) { return !w.is_stopping && std::filesystem::exists(port_file(w)); }));
}

std::string worker_processes::metrics_port(const process& p) const {
    std::ifstream in{port_file(p)};
    constexpr std::string_view key = "METRICS_PORT=";
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key)) return line.substr(key.size());
    return {};
}

void worker_processes::write_targets(const std::filesystem::path& file) const {
    std::string list;
    for (const auto& w : workers_)
        if (const auto port = metrics_port(w); !port.empty())
            list += (list.empty() ? "" : ",") + ("\"127.0.0.1:" + port + '"');
    const auto part = file.string() + ".part";
    std::ofstream{part} << "[{\"targets\":[" << list << "],\"labels\":{\"job\":\"worker\"}}]\n";
    std::filesystem::rename(part, file);
}

} // namespace tiktrend::autoscale
