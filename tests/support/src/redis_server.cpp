#include "redis_command.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <signal.h>

#include <stdexcept>

namespace tiktrend::testing {

redis_server::redis_server(const options& o)
    : options_{o}, socket_{(dir_.path() / "redis.sock").string()}, port_{o.port ? o.port : free_port()} {
    start();
}

redis_server& redis_server::shared() {
    static redis_server instance;
    return instance;
}

void redis_server::start() {
    std::vector<std::string> argv{"redis-server",
                                  "--port",
                                  std::to_string(port_),
                                  "--bind",
                                  "127.0.0.1",
                                  "--unixsocket",
                                  socket_,
                                  "--unixsocketperm",
                                  "777",
                                  "--dir",
                                  dir_.path().string(),
                                  "--save",
                                  "",
                                  "--daemonize",
                                  "no",
                                  "--maxmemory-policy",
                                  "noeviction"};
    if (options_.append_only)
        for (const char* word : {"--appendonly", "yes", "--appendfsync", "always"})
            argv.emplace_back(word);
    argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
    process::options po;
    po.output = dir_.path() / "redis.log";
    process_ = process{std::move(argv), po};
    const bool up = poll_until([&] {
        try {
            return command({"PING"}) == "PONG";
        } catch (const std::exception&) {
            return !process_.running();
        }
    });
    if (!up || !process_.running())
        throw std::runtime_error("redis-server did not start; see " + po.output.string());
}

std::string redis_server::command(std::vector<std::string> words) const {
    return run_command({redisConnectUnix(socket_.c_str()), &redisFree}, socket_, words);
}

void redis_server::stop() {
    process_.signal(SIGTERM);
    if (!process_.wait(std::chrono::seconds{10})) process_.kill();
}

void redis_server::kill() {
    process_.kill();
}

} // namespace tiktrend::testing
