#include "startup.hpp"

#include "process_usage.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

namespace tiktrend::bench {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

std::optional<std::string> port_in(const std::filesystem::path& file, const std::string& name) {
    std::ifstream stream{file};
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with(name + '=')) return line.substr(name.size() + 1);
    return std::nullopt;
}

bool is_ready(const std::string& port) {
    boost::asio::ip::tcp::iostream server{"127.0.0.1", port};
    server.expires_after(5s);
    server << "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" << std::flush;
    std::string line;
    return std::getline(server, line) && line.starts_with("HTTP/1.1 200 ");
}

} // namespace

double milliseconds_to_ready(pid_t running, const std::string& port_name) {
    const testing::temp_dir dir;
    const auto port_file = dir.path() / "ports";
    testing::process::options options;
    options.environment = environment_of(running);
    options.environment["GATEWAY_PORT"] = options.environment["METRICS_PORT"] = "0";
    options.environment["PORT_FILE"] = port_file.string();
    options.output = dir.path() / "log";
    const auto program = program_of(running);

    const auto begin = steady_clock::now();
    testing::process child{{program}, options};
    std::optional<std::string> port;
    while (!(port = port_in(port_file, port_name)) || !is_ready(*port)) {
        if (!child.running() || steady_clock::now() - begin > 30s)
            throw std::runtime_error(program + " does not become ready");
        std::this_thread::sleep_for(1ms);
    }
    const std::chrono::duration<double, std::milli> taken = steady_clock::now() - begin;
    child.signal(SIGTERM);
    child.wait(20s);
    return taken.count();
}

} // namespace tiktrend::bench
