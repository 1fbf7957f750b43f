// Debounce: of many adds within five seconds the last one is run.
#include <tiktrend/queue/queue.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;

task<void> add_often(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(std::chrono::seconds{2});
    queue::queue index{client, "index"};
    queue::job_options options;
    options.delay = std::chrono::seconds{5};
    options.deduplication = queue::deduplication_options{
        .id = "product-7", .ttl = options.delay, .extend = true, .replace = true};
    for (int version = 1; version <= 3; ++version) {
        const auto data = R"({"version":)" + std::to_string(version) + "}";
        std::cout << "added job " << co_await index.add({"refresh", data, options}) << std::endl;
    }
    const auto counts = co_await index.counts();
    std::cout << counts.delayed << " is left" << std::endl;
    co_await client.stop();
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context,
                   add_often(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value()),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
