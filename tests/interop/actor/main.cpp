// Our queue as an actor of the interop tests; the counterpart of ../node/actor.mjs.
//
//   tiktrend-interop-actor FD REDIS_URL
#include "session.hpp"

#include <tiktrend/base/task_group.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <cstdlib>

namespace tiktrend::interop {
namespace {

using descriptor = asio::posix::stream_descriptor;

/// Lines of concurrent answers, written one after the other.
struct answers {
    descriptor& out;
    std::string waiting{};
    bool writing = false;

    task<void> write(std::string line) {
        waiting += line;
        if (writing) co_return; // the writer takes it along
        writing = true;
        while (!waiting.empty()) {
            const auto batch = std::exchange(waiting, {});
            co_await asio::async_write(out, asio::buffer(batch), asio::use_awaitable);
        }
        writing = false;
    }
};

task<void> answer(session& s, json::object request, answers& out) {
    json::object reply{{"seq", request.at("seq")}};
    try {
        reply["value"] = co_await s.call(std::move(request));
    } catch (const std::exception& e) {
        reply["error"] = e.what();
    }
    co_await out.write(json::serialize(reply) + "\n");
}

task<void> serve(int fd, redis::address where) {
    const auto executor = co_await asio::this_coro::executor;
    descriptor socket{executor, fd};
    session s{executor, std::move(where)};
    s.start();
    answers out{socket};
    task_group calls{executor};
    std::string buffer;
    for (;;) {
        boost::system::error_code ec;
        const auto n = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                                       asio::redirect_error(asio::use_awaitable, ec));
        if (ec) break; // the test has closed its end
        auto request = json::parse(std::string_view{buffer}.substr(0, n)).as_object();
        buffer.erase(0, n);
        calls.spawn("call",
                    answer(s, std::move(request), out)); // side by side: one may wait for what another causes
    }
    calls.cancel();
    co_await calls.join();
    co_await s.stop();
}

} // namespace
} // namespace tiktrend::interop

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: tiktrend-interop-actor FD REDIS_URL\n", stderr);
        return 2;
    }
    tiktrend::asio::io_context context{1};
    tiktrend::asio::co_spawn(
        context, tiktrend::interop::serve(std::atoi(argv[1]), tiktrend::redis::parse_url(argv[2]).value()),
        [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    context.run();
}
