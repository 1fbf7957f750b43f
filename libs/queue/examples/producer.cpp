// Adds one job. Any BullMQ worker of the queue "paint" can run it.
#include <tiktrend/queue/queue.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;

task<void> produce(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(std::chrono::seconds{2});
    queue::queue paint{client, "paint"};
    queue::job_options options;
    options.attempts = 3;
    options.backoff = queue::backoff_options{"exponential", std::chrono::seconds{1}, 0.5};
    std::cout << "added job " << co_await paint.add({"car", R"({"color":"blue"})", options}) << std::endl;
    co_await client.stop();
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context, produce(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value()),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
