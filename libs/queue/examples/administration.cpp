// Looks at the queue "paint", tries its failed jobs again, removes old ones and waits for a job's result.
#include <tiktrend/queue/job_operations.hpp>
#include <tiktrend/queue/job_waiter.hpp>
#include <tiktrend/queue/queue_admin.hpp>
#include <tiktrend/queue/queue_getters.hpp>
#include <tiktrend/queue/queue_settings.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;
using namespace std::chrono_literals;

task<void> look_after(queue::queue& paint) {
    queue::queue_settings settings{paint};
    co_await settings.set_global_concurrency(10); // over all workers

    queue::queue_getters getters{paint};
    for (const auto& [state, count] : co_await getters.counts())
        std::cout << to_string(state) << ": " << count << '\n';
    std::cout << "workers: " << co_await getters.workers_count() << '\n';

    queue::queue_admin admin{paint};
    std::cout << "tried again: " << co_await admin.retry_all() << '\n';
    const auto removed = co_await admin.clean(24h, 1000, queue::job_state::completed);
    std::cout << "older than a day, removed: " << removed.size() << '\n';

    queue::job_options later;
    later.delay = 1h;
    const auto id = co_await paint.add({"car", R"({"color":"red"})", later});
    queue::job_operations operations{paint};
    queue::priority_change urgent;
    urgent.priority = 1;
    co_await operations.change_priority(id, urgent);
    co_await operations.change_delay(id, 0ms); // now

    queue::job_waiter waiter{paint};
    waiter.start();
    try {
        std::cout << "painted: " << co_await waiter.wait(id, 5s) << '\n';
    } catch (const queue::job_failed_error& e) {
        std::cout << "failed: " << e.what() << '\n';
    } catch (const system_error& e) { // nobody runs it, say
        std::cout << e.what() << '\n';
    }
    co_await waiter.stop();
}

task<void> run(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(2s);
    {
        queue::queue paint{client, "paint"};
        co_await look_after(paint);
    }
    co_await client.stop();
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context, run(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value()),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
