#include <tiktrend/testing/process.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace tiktrend::testing {
namespace {

int status_of(int raw) {
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

/// Runs in the child between fork and exec.
[[noreturn]] void become(const std::vector<std::string>& argv, const process::options& o) {
    const auto die = [&](const char* what) {
        ::dprintf(2, "%s: %s: %s\n", argv[0].c_str(), what, std::strerror(errno));
        ::_exit(127);
    };
    if (!o.output.empty()) {
        const int fd = ::open(o.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (fd < 0) die("open output");
        ::dup2(fd, 1);
        ::dup2(fd, 2);
    }
    for (const auto& [name, value] : o.environment)
        ::setenv(name.c_str(), value.c_str(), 1);
    if (!o.user.empty() && ::geteuid() == 0) {
        const auto* user = ::getpwnam(o.user.c_str());
        if (!user) die("no such user");
        if (::initgroups(o.user.c_str(), user->pw_gid) || ::setgid(user->pw_gid) || ::setuid(user->pw_uid))
            die("setuid");
        ::setenv("HOME", "/tmp", 1);
    }
    if (!o.directory.empty() && ::chdir(o.directory.c_str())) die("chdir");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // after setuid, which clears it
    std::vector<char*> args;
    for (const auto& a : argv)
        args.push_back(const_cast<char*>(a.c_str()));
    args.push_back(nullptr);
    ::execvp(args[0], args.data());
    die("exec");
    ::_exit(127);
}

} // namespace

process::process(std::vector<std::string> argv, const options& o) {
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) become(argv, o);
}

process::process(process&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)}, status_{std::exchange(other.status_, std::nullopt)} {}

process& process::operator=(process&& other) noexcept {
    if (this != &other) {
        kill();
        pid_ = std::exchange(other.pid_, -1);
        status_ = std::exchange(other.status_, std::nullopt);
    }
    return *this;
}

process::~process() {
    kill();
}

bool process::running() {
    return pid_ > 0 && !wait(std::chrono::milliseconds{0});
}

void process::signal(int number) const {
    if (pid_ > 0 && !status_) ::kill(pid_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds limit) {
    if (pid_ <= 0) return std::nullopt;
    poll_until(
        [&] {
            if (status_) return true;
            int raw = 0;
            if (::waitpid(pid_, &raw, WNOHANG) == pid_) status_ = status_of(raw);
            return status_.has_value();
        },
        limit);
    return status_;
}

void process::kill() {
    if (pid_ <= 0 || status_) return;
    ::kill(pid_, SIGKILL);
    int raw = 0;
    if (::waitpid(pid_, &raw, 0) == pid_) status_ = status_of(raw);
}

int run(std::vector<std::string> argv, const process::options& o, std::chrono::milliseconds limit) {
    const auto name = argv.at(0);
    process p{std::move(argv), o};
    if (const auto status = p.wait(limit)) return *status;
    throw std::runtime_error(name + " did not end in time");
}

void poll_pause() {
    std::this_thread::sleep_for(std::chrono::milliseconds{3});
}

unsigned short free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size))
        throw std::runtime_error("no free port");
    ::close(fd);
    return ntohs(address.sin_port);
}

} // namespace tiktrend::testing
