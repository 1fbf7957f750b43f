// Our queue as one side of the differential suite; the counterpart of ../../node/differential.mjs. Answers
// one JSON line to each step that comes, in order.
//
//   tiktrend-differential-actor FD REDIS_URL PREFIX
#include "stage.hpp"

#include <tiktrend/base/task_group.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <cstdlib>

namespace tiktrend::interop {
namespace {

/// A script's code, 0 for what was refused before Redis.
json::object refusal(const system_error& e) {
    const bool is_script_code = e.code().category() == queue::category() && e.code().value() < 100;
    return {{"code", is_script_code ? -e.code().value() : 0}, {"text", e.what()}};
}

task<std::string> answer(stage& s, std::string line) {
    json::object reply;
    try {
        reply["value"] = co_await s.carry_out(json::parse(line).as_object());
    } catch (const system_error& e) {
        reply["error"] = refusal(e);
    } catch (const std::exception& e) {
        reply["error"] = json::object{{"code", 0}, {"text", e.what()}};
    }
    co_return json::serialize(reply) + "\n";
}

task<void> serve(int fd, redis::address where, std::string prefix) {
    const auto executor = co_await asio::this_coro::executor;
    asio::posix::stream_descriptor socket{executor, fd};
    stage s{executor, std::move(where), std::move(prefix)};
    s.start();
    std::string buffer;
    for (;;) {
        boost::system::error_code ec;
        const auto n = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                                       asio::redirect_error(asio::use_awaitable, ec));
        if (ec) break; // the suite has closed its end
        auto line = buffer.substr(0, n);
        buffer.erase(0, n);
        const auto reply = co_await answer(s, std::move(line));
        co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
    }
    co_await s.stop();
}

} // namespace
} // namespace tiktrend::interop

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: tiktrend-differential-actor FD REDIS_URL PREFIX\n", stderr);
        return 2;
    }
    tiktrend::asio::io_context context{1};
    tiktrend::asio::co_spawn(
        context,
        tiktrend::interop::serve(std::atoi(argv[1]), tiktrend::redis::parse_url(argv[2]).value(), argv[3]),
        [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    context.run();
}
