// Jobs of several customers, so that none holds up the others, sent in batches.
#include <tiktrend/queue/queue_groups.hpp>
#include <tiktrend/queue/worker.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;
using namespace std::chrono_literals;

task<std::string> send_mails(queue::active_batch& batch) {
    std::cout << "one call for";
    for (auto* mail : batch.jobs()) {
        std::cout << ' ' << mail->record().data;
        if (mail->record().data == R"("nobody")") // this one alone; the others are sent
            batch.set_as_failed(*mail, std::make_exception_ptr(queue::unrecoverable_error{"no address"}));
    }
    std::cout << std::endl;
    co_return R"("sent")";
}

task<void> run(redis::address where) {
    const auto executor = co_await asio::this_coro::executor;
    redis::client client{executor, where};
    client.start();
    co_await client.wait_connected(2s);
    {
        queue::queue mails{client, "mails"};
        std::vector<queue::new_job> jobs;
        for (const char* customer : {"anna", "anna", "anna", "ben", "nobody"}) {
            queue::job_options options;
            options.group.emplace().id = customer;
            jobs.push_back({"mail", '"' + std::string{customer} + '"', options});
        }
        for (const auto& id : co_await mails.add_bulk(std::move(jobs)))
            id.value(); // throws if this job was refused
        queue::queue_groups groups{mails};
        std::cout << "waiting: " << (co_await groups.counts()).jobs << '\n';

        queue::worker_options options;
        options.batch.size = 3;
        options.group.concurrency = 1; // of each customer's, over all workers
        queue::worker worker{executor, where, "mails", queue::batch_processor{send_mails}, options};
        worker.start();
        while ((co_await groups.counts()).jobs > 0) {
            asio::steady_timer timer{executor, 50ms};
            co_await timer.async_wait(asio::use_awaitable);
        }
        const auto now = std::chrono::steady_clock::now();
        co_await worker.stop(now + 5s, now + 6s);
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
