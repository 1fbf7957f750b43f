// Follows the queue "paint" until Ctrl-C, from the entry given, and says where to go on.
#include <tiktrend/queue/event_types.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <iostream>

using namespace tiktrend;
namespace event_type = queue::event_type;

void tell(const queue::queue_event& entry) {
    const auto event = event_type::of(entry);
    if (const auto* done = std::get_if<event_type::completed>(&event))
        std::cout << done->job_id << " completed with " << done->return_value << std::endl;
    else if (const auto* failed = std::get_if<event_type::failed>(&event))
        std::cout << failed->job_id << " failed: " << failed->reason << std::endl;
    else if (const auto* custom = std::get_if<event_type::custom>(&event))
        std::cout << custom->name << " of one's own" << std::endl;
}

task<void> follow(redis::address where, std::string last_id) {
    const auto executor = co_await asio::this_coro::executor;
    queue::queue_events::options options;
    options.last_id = std::move(last_id);
    queue::queue_events events{executor, where, "paint", tell, options};
    events.start();
    co_await asio::signal_set{executor, SIGINT, SIGTERM}.async_wait(asio::use_awaitable);
    co_await events.stop();
    std::cout << "go on from " << events.last_id() << std::endl;
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context,
                   follow(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value(),
                          argc > 2 ? argv[2] : "$"),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
