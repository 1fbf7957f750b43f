// Takes the jobs of the queue "paint" one by one in a loop of its own, and ends each by hand, until none is
// left.
#include <tiktrend/queue/job_fetcher.hpp>
#include <tiktrend/queue/job_operations.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;
using namespace std::chrono_literals;

task<void> paint_all(queue::queue& paint) {
    const queue::lock_token mine{"painter-1"}; // unique per holder
    queue::job_fetcher fetcher{paint};
    queue::job_operations jobs{paint};
    while (const auto job = co_await fetcher.get_next_job(mine, 1s)) { // waits a second for one
        std::cout << "painting " << job->data << '\n';
        if (job->data == "{}")
            co_await jobs.move_to_failed(job->id, "no color", mine); // tried again if attempts are left
        else
            co_await jobs.move_to_completed(job->id, R"({"painted":true})", mine);
    }
}

task<void> run(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(2s);
    {
        queue::queue paint{client, "paint"};
        co_await paint.add({"car", R"({"color":"green"})"});
        co_await paint_all(paint);
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
