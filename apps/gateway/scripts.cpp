#include "scripts.hpp"

#include <tiktrend/base/embedded.hpp>

#include <span>

namespace tiktrend::gateway {
namespace lua {
std::span<const embedded_file> files() noexcept;
}
namespace {

redis::script load(std::string_view name) {
    return {name, std::string{embedded_text(lua::files(), name)}};
}

task<redis::reply> run(redis::client& client, const redis::script& s, std::string key,
                       std::vector<std::string> args) {
    const std::vector<std::string_view> keys{key};
    const std::vector<std::string_view> views{args.begin(), args.end()};
    auto reply = co_await client.eval(s, keys, views);
    if (reply.is_error())
        throw redis::server_error{redis::errc::protocol_error, client.where().to_string(),
                                  s.name() + ": " + std::string{reply.text()}};
    co_return reply;
}

} // namespace

const redis::script& begin_request_script() {
    static const auto s = load("begin_request.lua");
    return s;
}

const redis::script& end_request_script() {
    static const auto s = load("end_request.lua");
    return s;
}

const redis::script& jobs_with_script() {
    static const auto s = load("jobs_with.lua");
    return s;
}

const redis::script& take_permits_script() {
    static const auto s = load("take_permits.lua");
    return s;
}

task<redis::reply> run_script(redis::client& client, const redis::script& s, std::string_view key,
                              std::initializer_list<std::string_view> args) {
    return run(client, s, std::string{key}, {args.begin(), args.end()});
}

task<redis::reply> run_script(redis::client& client, const redis::script& s, std::string_view key,
                              std::vector<std::string> args) {
    return run(client, s, std::string{key}, std::move(args));
}

} // namespace tiktrend::gateway
