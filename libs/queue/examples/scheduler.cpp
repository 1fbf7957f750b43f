// Makes a job every weekday at 7:30 in Madrid, whatever the clocks do, and lists the schedulers of the queue.
#include <tiktrend/queue/job_scheduler.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;

task<void> schedule(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(std::chrono::seconds{2});
    queue::queue reports{client, "reports"};
    queue::job_schedulers schedulers{reports};
    queue::repeat_options weekdays;
    weekdays.pattern = "30 7 * * MON-FRI";
    weekdays.tz = "Europe/Madrid";
    co_await schedulers.upsert("morning", weekdays, {"report", R"({"kind":"daily"})"});

    for (const auto& s : co_await schedulers.list())
        std::cout << s.id << " makes " << s.name << " next at " << s.next_ms << " ms" << std::endl;
    co_await client.stop();
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context, schedule(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value()),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
