#include <tiktrend/testing/line_peer.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace tiktrend::testing {

line_peer::line_peer(std::string name,
                     const std::function<std::vector<std::string>(const std::string&)>& command)
    : name_{std::move(name)} {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw std::runtime_error("socketpair failed");
    fd_ = ends[0];
    ::fcntl(fd_, F_SETFD,
            FD_CLOEXEC); // the other end is inherited, and by this child alone: it is closed here right after
    try {
        process_ = process{command(std::to_string(ends[1]))};
    } catch (...) {
        ::close(ends[0]);
        ::close(ends[1]);
        throw;
    }
    ::close(ends[1]);
}

line_peer::~line_peer() {
    ::close(fd_);
    if (!process_.wait(std::chrono::seconds{15})) process_.kill();
}

void line_peer::send(std::string line) {
    line += '\n';
    for (std::size_t done = 0; done < line.size();) {
        const auto n = ::send(fd_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw std::runtime_error(name_ + " is gone");
        done += static_cast<std::size_t>(n);
    }
}

std::string line_peer::receive(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        if (const auto end = buffer_.find('\n'); end != std::string::npos) {
            auto line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd p{fd_, POLLIN, 0};
        const auto ready = left.count() > 0 ? ::poll(&p, 1, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) throw std::runtime_error(name_ + " does not answer");
        char bytes[65536];
        const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) throw std::runtime_error(name_ + " ended");
        buffer_.append(bytes, static_cast<std::size_t>(n));
    }
}

} // namespace tiktrend::testing
