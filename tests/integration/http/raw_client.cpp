#include "raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace tiktrend::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool wait_readable(int fd, milliseconds limit) {
    pollfd p{fd, POLLIN, 0};
    return ::poll(&p, 1, static_cast<int>(limit.count())) > 0;
}

std::string lower(std::string text) {
    for (auto& c : text)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

} // namespace

raw_client::raw_client(std::uint16_t port, int receive_buffer)
    : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr generic{};
    std::memcpy(&generic, &address, sizeof address);
    if (::connect(fd_, &generic, sizeof address) != 0)
        throw std::system_error(errno, std::generic_category(), "connect");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

raw_client::raw_client(raw_client&& other) noexcept
    : patience{other.patience}, fd_{std::exchange(other.fd_, -1)}, buffer_{std::move(other.buffer_)} {}

raw_client::~raw_client() {
    close();
}

bool raw_client::try_send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void raw_client::send(std::string_view bytes) {
    if (!try_send(bytes)) throw std::system_error(errno, std::generic_category(), "send");
}

bool raw_client::fill() {
    if (!wait_readable(fd_, patience)) throw std::runtime_error("no answer in time; so far: " + buffer_);
    char bytes[65536];
    const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n < 0) throw std::system_error(errno, std::generic_category(), "recv");
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
}

std::string raw_client::read_until(std::string_view text) {
    for (;;) {
        if (const auto at = buffer_.find(text); at != std::string::npos) {
            auto out = buffer_.substr(0, at + text.size());
            buffer_.erase(0, at + text.size());
            return out;
        }
        if (!fill()) throw std::runtime_error("the connection ended; so far: " + buffer_);
    }
}

std::string raw_client::read_all() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
}

raw_response raw_client::read(bool head_only) {
    raw_response r;
    r.head = read_until("\r\n\r\n");
    if (r.head.rfind("HTTP/1.1 ", 0) != 0 || r.head.size() < 12)
        throw std::runtime_error("not a response: " + r.head);
    r.status = std::stoi(r.head.substr(9, 3));
    std::size_t at = r.head.find("\r\n") + 2;
    for (std::size_t end = 0; (end = r.head.find("\r\n", at)) != at; at = end + 2) {
        const auto line = r.head.substr(at, end - at);
        const auto colon = line.find(": ");
        if (colon == std::string::npos) throw std::runtime_error("not a field: " + line);
        if (!r.headers.emplace(lower(line.substr(0, colon)), line.substr(colon + 2)).second)
            throw std::runtime_error("twice: " + line);
    }
    if (head_only || r.status == 204 || r.status == 304 || r.status < 200) return r;
    if (r.headers.count("content-length")) {
        const auto size = std::stoul(r.headers["content-length"]);
        while (buffer_.size() < size)
            if (!fill()) throw std::runtime_error("the body is cut short");
        r.body = buffer_.substr(0, size);
        buffer_.erase(0, size);
    } else if (r.headers.count("transfer-encoding")) {
        for (;;) {
            const auto size = std::stoul(read_until("\r\n"), nullptr, 16);
            while (buffer_.size() < size + 2)
                if (!fill()) throw std::runtime_error("the body is cut short");
            r.body += buffer_.substr(0, size);
            buffer_.erase(0, size + 2);
            if (size == 0) break;
        }
    } else {
        r.body = read_all();
    }
    return r;
}

raw_client::ending raw_client::wait_end(milliseconds limit) {
    const auto end = steady_clock::now() + limit;
    for (;;) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
        if (left.count() <= 0 || !wait_readable(fd_, left)) return ending::still_open;
        char bytes[65536];
        const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        if (n == 0) return ending::orderly;
        if (n < 0) return ending::reset;
    }
}

void raw_client::shutdown_send() {
    ::shutdown(fd_, SHUT_WR);
}

void raw_client::close(bool with_reset) {
    if (fd_ < 0) return;
    if (with_reset) {
        const linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    ::close(std::exchange(fd_, -1));
}

raw_response fetch(std::uint16_t port, std::string_view request) {
    raw_client c{port};
    c.send(request);
    return c.read(request.substr(0, 5) == "HEAD ");
}

std::string get(std::string_view path, std::string_view more_headers) {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: shop.test\r\n" + std::string{more_headers} +
           "\r\n";
}

} // namespace tiktrend::testing
