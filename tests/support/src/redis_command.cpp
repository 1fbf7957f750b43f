#include "redis_command.hpp"

#include <stdexcept>

namespace tiktrend::testing {
namespace {

std::string text_of(const redisReply* r) {
    switch (r->type) {
    case REDIS_REPLY_INTEGER:
        return std::to_string(r->integer);
    case REDIS_REPLY_NIL:
        return "(nil)";
    case REDIS_REPLY_ARRAY: {
        std::string out;
        for (std::size_t i = 0; i < static_cast<std::size_t>(r->elements); ++i) {
            if (i) out += '\n';
            out += text_of(r->element[i]);
        }
        return out;
    }
    default:
        return {r->str, static_cast<std::size_t>(r->len)};
    }
}

} // namespace

std::string run_command(const redis_connection& c, const std::string& where,
                        const std::vector<std::string>& words) {
    if (!c || c->err) throw std::runtime_error("redis: cannot connect to " + where);
    std::vector<const char*> argv;
    std::vector<std::size_t> sizes;
    for (const auto& w : words) {
        argv.push_back(w.data());
        sizes.push_back(w.size());
    }
    const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply{
        static_cast<redisReply*>(
            redisCommandArgv(c.get(), static_cast<int>(argv.size()), argv.data(), sizes.data())),
        &freeReplyObject};
    if (!reply) throw std::runtime_error(std::string{"redis: "} + c->errstr);
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(text_of(reply.get()));
    return text_of(reply.get());
}

} // namespace tiktrend::testing
