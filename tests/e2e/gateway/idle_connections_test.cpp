// Many clients that do nothing, or as slowly as they can, beside one that is served. 500 of them; 10,000 with
// TIKTREND_LONG_TESTS=1.
#include "stack.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>

using namespace tiktrend;
using namespace std::chrono_literals;
using testing::poll_until;

namespace {

/// A TCP connection to the gateway, closed with the object.
class plain_socket {
public:
    explicit plain_socket(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            throw std::system_error(errno, std::generic_category(), "connect");
    }
    plain_socket(plain_socket&& o) noexcept : fd_{std::exchange(o.fd_, -1)} {}
    plain_socket& operator=(plain_socket&&) = delete;
    ~plain_socket() {
        if (fd_ >= 0) ::close(fd_);
    }

    bool send(std::string_view text) const {
        return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    }
    void end_sending() const { ::shutdown(fd_, SHUT_WR); }
    /// Everything up to the end of the connection, at most for `limit`; `ended` says whether it did end.
    std::string read_to_end(std::chrono::milliseconds limit, bool& ended) const {
        std::string out;
        const auto until = std::chrono::steady_clock::now() + limit;
        for (ended = false; !ended;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now());
            pollfd p{fd_, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&p, 1, static_cast<int>(left.count())) <= 0) break;
            char piece[4096];
            const auto n = ::recv(fd_, piece, sizeof piece, 0);
            if (n <= 0)
                ended = true;
            else
                out.append(piece, static_cast<std::size_t>(n));
        }
        return out;
    }
    /// One answer of a connection that stays open; its first line.
    std::string read_answer() const {
        char piece[4096];
        pollfd p{fd_, POLLIN, 0};
        if (::poll(&p, 1, 20'000) <= 0) return {};
        const auto n = ::recv(fd_, piece, sizeof piece, 0);
        const std::string all(piece, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        return all.substr(0, all.find('\r'));
    }

private:
    int fd_;
};

std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

/// VmRSS of a process.
std::int64_t kib_of(pid_t pid) {
    std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmRSS:", 0) == 0) return std::stoll(line.substr(6));
    return 0;
}

/// How many sockets this test may hold: the files it may open, less what else it has.
std::size_t room_for_sockets() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<std::size_t>(limit.rlim_cur) - 200;
}

std::size_t crowd() {
    const std::size_t wanted = std::getenv("TIKTREND_LONG_TESTS") ? 10'000 : 500;
    const auto room = room_for_sockets();
    if (room < wanted) WARN("only " << room << " of " << wanted << " connections: ulimit -n is too low");
    return std::min(wanted, room);
}

e2e::stack& shared() {
    static e2e::stack s{[] {
        e2e::stack::options o;
        o.with_worker = false;
        o.gateway = {{"HTTP_MAX_CONNECTIONS", "20000"},
                     {"HTTP_MAX_CONNECTIONS_PER_ADDRESS", "0"},
                     {"GATEWAY_THREADS", "1"},
                     {"HTTP_HEADER_TIMEOUT", "3s"},
                     {"HTTP_BODY_TIMEOUT", "3s"},
                     {"HTTP_IDLE_TIMEOUT", "5m"},
                     {"LOG_LEVEL", "warn"}};
        return o;
    }()};
    return s;
}

/// The slowest of many requests.
std::chrono::milliseconds slowest_request(const e2e::http_client& api) {
    std::chrono::steady_clock::duration worst{};
    for (int i = 0; i < 100; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        REQUIRE(api.get("/products?limit=1").status == 200);
        worst = std::max(worst, std::chrono::steady_clock::now() - begin);
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(worst);
}

constexpr std::string_view request = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

} // namespace

TEST_CASE("idle connections cost little memory and no time", "[e2e][crowd]") {
    auto& s = shared();
    const auto port = port_of(s.gateway_url());
    slowest_request(s.api());
    const auto before = kib_of(s.gateway().pid());
    const auto n = crowd();
    std::vector<plain_socket> idle;
    idle.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        idle.emplace_back(port);
        REQUIRE(idle.back().send(request)); // idle as a browser's or a balancer's: after an answer
        REQUIRE(idle.back().read_answer() == "HTTP/1.1 200 OK");
    }
    CHECK(slowest_request(s.api()) < 2s); // among other tests; alone it is a few milliseconds
    const auto each = static_cast<double>(kib_of(s.gateway().pid()) - before) / static_cast<double>(n);
    std::cout << n << " idle connections: " << each << " KiB of the gateway's memory each\n";
    CHECK(each < 20);
    // All of them still work.
    for (const auto& c : idle) {
        REQUIRE(c.send(request));
        REQUIRE(c.read_answer() == "HTTP/1.1 200 OK");
    }
    idle.clear();
    CHECK(poll_until(
        [&] {
            const auto page = s.metrics().get("/metrics").body;
            const auto at = page.find("\nhttp_connections ");
            return at != std::string::npos && std::stod(page.substr(at + 18)) < 50;
        },
        20s));
}

TEST_CASE("connections that send as slowly as they can are closed, and hold nobody up", "[e2e][crowd]") {
    auto& s = shared();
    const auto port = port_of(s.gateway_url());
    const auto n = std::min<std::size_t>(crowd(), 5'000);
    std::vector<plain_socket> slow;
    slow.reserve(n);
    const auto key = "Authorization: Bearer " + s.api_key() + "\r\n";
    for (std::size_t i = 0; i < n; ++i) {
        slow.emplace_back(port);
        // Header without an end, body without an end, chunks without an end.
        const auto head =
            i % 3 == 0 ? std::string{"GET /products HTTP/1.1\r\nHost: x\r\nX-Slow: "}
            : i % 3 == 1
                ? "POST /copy HTTP/1.1\r\nHost: x\r\n" + key +
                      "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
                : "POST /copy HTTP/1.1\r\nHost: x\r\n" + key +
                      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n";
        REQUIRE(slow.back().send(head));
    }
    const auto worst = slowest_request(s.api());
    CHECK(worst < 2s);
    for (const auto& c : slow)
        c.send("a"); // a byte now and then must not buy time
    for (const auto& c : slow) {
        bool ended = false;
        const auto all = c.read_to_end(30s, ended);
        REQUIRE(ended);
        REQUIRE((all.empty() || all.rfind("HTTP/1.1 408", 0) == 0 || all.rfind("HTTP/1.1 400", 0) == 0));
    }
    CHECK(s.anonymous().get("/health/live").status == 200);
}

TEST_CASE("half-closed connections get their answer and are closed", "[e2e][crowd]") {
    auto& s = shared();
    const auto port = port_of(s.gateway_url());
    const auto n = std::min<std::size_t>(crowd(), 1'000);
    std::vector<plain_socket> half;
    for (std::size_t i = 0; i < n; ++i) {
        half.emplace_back(port);
        if (i % 3 == 0) REQUIRE(half.back().send(request));               // all was sent: it wants the answer
        if (i % 3 == 1) REQUIRE(half.back().send(request.substr(0, 20))); // it will never be whole
        half.back().end_sending();
    }
    for (std::size_t i = 0; i < n; ++i) {
        bool ended = false;
        const auto all = half[i].read_to_end(30s, ended);
        CHECK(ended);
        if (i % 3 == 0) CHECK(all.rfind("HTTP/1.1 200", 0) == 0);
    }
    CHECK(s.anonymous().get("/health/live").status == 200);
}
