#include "queue_call.hpp"

namespace tiktrend::queue {

task<redis::reply> run_script_views(redis::client& client, const redis::script& script,
                                    const std::string& key_base, std::span<const std::string_view> args) {
    const std::string_view keys[]{key_base};
    auto reply = co_await client.eval(script, keys, args);
    if (reply.is_error())
        throw std::runtime_error("queue " + key_base + " " + script.name() + ": " +
                                 std::string{reply.text()});
    co_return reply;
}

task<redis::reply> run_script(redis::client& client, const redis::script& script, std::string key_base,
                              std::vector<std::string> args) {
    const std::vector<std::string_view> views{args.begin(), args.end()};
    co_return co_await run_script_views(client, script, key_base, views);
}

error_code outcome_of(std::int64_t code) noexcept {
    if (code >= 0) return {};
    if (code < -12) return errc::invalid_options;
    return static_cast<errc>(-code);
}

void throw_if_refused(std::int64_t code, const std::string& what) {
    if (const auto e = outcome_of(code)) throw system_error(e, what);
}

task<std::int64_t> run_code_on(const queue& q, const redis::script& script, std::vector<std::string> args,
                               std::string what) {
    const auto reply = co_await run_script_on(q, script, std::move(args));
    throw_if_refused(reply.integer(), what);
    co_return reply.integer();
}

task<redis::reply> exec_on(const queue& q, redis::command command) {
    auto reply = co_await q.client().exec(command);
    if (reply.is_error())
        throw std::runtime_error("queue " + q.key_base() + " " + std::string{command.name()} + ": " +
                                 std::string{reply.text()});
    co_return reply;
}

} // namespace tiktrend::queue
