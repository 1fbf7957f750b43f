// Runs the jobs of the queue "paint", whoever added them, until Ctrl-C.
#include <tiktrend/queue/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <iostream>

using namespace tiktrend;

task<std::string> paint(queue::active_job& job) {
    std::cout << "painting " << job.record().data << std::endl;
    co_await job.update_progress("100");
    co_return R"({"painted":true})";
}

task<void> work(redis::address where) {
    const auto executor = co_await asio::this_coro::executor;
    queue::worker worker{executor, where, "paint", paint};
    worker.start();
    co_await asio::signal_set{executor, SIGINT, SIGTERM}.async_wait(asio::use_awaitable);
    const auto now = std::chrono::steady_clock::now(); // 10 s for running jobs, then they are given back
    co_await worker.stop(now + std::chrono::seconds{10}, now + std::chrono::seconds{15});
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context, work(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value()),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
