#include <tiktrend/testing/redis_server.hpp>

#include <hiredis/hiredis.h>

#include <memory>
#include <signal.h>
#include <stdexcept>

namespace tiktrend::testing {
namespace {

using connection = std::unique_ptr<redisContext, decltype(&redisFree)>;

connection connect(const std::string& socket) { return {redisConnectUnix(socket.c_str()), &redisFree}; }

std::string text_of(const redisReply* r) {
    switch (r->type) {
    case REDIS_REPLY_INTEGER: return std::to_string(r->integer);
    case REDIS_REPLY_NIL: return "(nil)";
    case REDIS_REPLY_ARRAY: {
        std::string out;
        for (std::size_t i = 0; i < static_cast<std::size_t>(r->elements); ++i) {
            if (i) out += '\n';
            out += text_of(r->element[i]);
        }
        return out;
    }
    default: return {r->str, static_cast<std::size_t>(r->len)};
    }
}

} // namespace

redis_server::redis_server(const options& o)
    : options_{o}, socket_{(dir_.path() / "redis.sock").string()}, port_{o.port ? o.port : free_port()} {
    start();
}

redis_server& redis_server::shared() {
    static redis_server instance;
    return instance;
}

void redis_server::start() {
    std::vector<std::string> argv{"redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1",
                                  "--unixsocket", socket_, "--unixsocketperm", "777", "--dir", dir_.path().string(),
                                  "--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"};
    if (options_.append_only)
        for (const char* word : {"--appendonly", "yes", "--appendfsync", "always"}) argv.emplace_back(word);
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
    const auto c = connect(socket_);
    if (!c || c->err) throw std::runtime_error("redis: cannot connect to " + socket_);
    std::vector<const char*> argv;
    std::vector<std::size_t> sizes;
    for (const auto& w : words) {
        argv.push_back(w.data());
        sizes.push_back(w.size());
    }
    const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply{
        static_cast<redisReply*>(redisCommandArgv(c.get(), static_cast<int>(argv.size()), argv.data(), sizes.data())),
        &freeReplyObject};
    if (!reply) throw std::runtime_error(std::string{"redis: "} + c->errstr);
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(text_of(reply.get()));
    return text_of(reply.get());
}

void redis_server::stop() {
    process_.signal(SIGTERM);
    if (!process_.wait(std::chrono::seconds{10})) process_.kill();
}

void redis_server::kill() { process_.kill(); }

} // namespace tiktrend::testing
