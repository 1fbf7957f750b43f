// Our queue as a contender of tools/bench, in a process of its own so that its CPU is counted apart; the same
// orders and answers as peers/queue.mjs.
//
//   tiktrend-bench-queue-load FD REDIS_URL
//
// {"work": "add" | "add_bulk" | "process", "jobs": n, "concurrency": c, "prioritized": false} → {"seconds",
// "cpu_seconds"}
// {"work": "latency", "jobs": n} → {"us": [n numbers]}: from the call of add to the start of the job, the
// worker idle before
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

namespace tiktrend::bench {
namespace {

namespace json = boost::json;

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

class stopwatch {
public:
    json::object result() const {
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
        return {{"seconds", elapsed.count()}, {"cpu_seconds", cpu_seconds() - cpu_}};
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    double cpu_ = cpu_seconds();
};

/// What POST /scraping/start stores. Priorities, where there are any, go round 1 … 10.
queue::new_job sample_job(bool is_prioritized = false) {
    static std::int32_t turn = 0;
    queue::job_options options;
    if (is_prioritized) options.priority = 1 + turn++ % 10;
    options.attempts = 3;
    options.backoff = queue::backoff_options{"exponential", std::chrono::milliseconds{2000}, 0};
    return {
        "scrape_products",
        R"({"source":"demo.shop","filters":{"category":"shoes","price_max":100},"request_id":"01JD3Z9Q6W8M2T5K7R4B1N0C3V"})",
        options};
}

task<void> add_some(queue::queue& q, std::int64_t& left, bool is_prioritized) {
    while (left-- > 0)
        co_await q.add(sample_job(is_prioritized));
}

task<json::object> add(queue::queue& q, std::int64_t jobs, std::int64_t concurrency, bool is_prioritized) {
    task_group adders{co_await asio::this_coro::executor};
    const stopwatch watch;
    for (std::int64_t i = 0; i < concurrency; ++i)
        adders.spawn("add", add_some(q, jobs, is_prioritized));
    co_await adders.join();
    co_return watch.result();
}

/// One call after the other, each of `batch` jobs.
task<json::object> add_bulk(queue::queue& q, std::int64_t jobs, std::int64_t batch, bool is_prioritized) {
    const stopwatch watch;
    for (std::int64_t done = 0; done < jobs; done += batch) {
        std::vector<queue::new_job> some;
        for (auto left = std::min(batch, jobs - done); left > 0; --left)
            some.push_back(sample_job(is_prioritized));
        for (const auto& id : co_await q.add_bulk(std::move(some)))
            id.value(); // throws if one was refused
    }
    co_return watch.result();
}

task<std::string> do_nothing(queue::active_job&) {
    co_return "null";
}

task<json::object> process(const redis::address& where, std::int64_t jobs, std::int64_t concurrency) {
    const auto executor = co_await asio::this_coro::executor;
    event done{executor};
    queue::worker_options options;
    options.concurrency = static_cast<std::size_t>(concurrency);
    options.on_outcome = [&done, left = jobs](const queue::worker_options::outcome& o) mutable {
        if (o.what == queue::worker_options::outcome::completed && --left == 0) done.set();
    };
    queue::worker worker{executor, where, "bench", do_nothing, options};
    const stopwatch watch;
    worker.start();
    co_await done.wait();
    const auto result = watch.result();
    const auto now = std::chrono::steady_clock::now();
    co_await worker.stop(now + std::chrono::seconds{5}, now + std::chrono::seconds{6});
    co_return result;
}

task<std::string> note_start(std::chrono::steady_clock::time_point& started) {
    started = std::chrono::steady_clock::now();
    co_return "null";
}

task<json::object> latency(queue::queue& q, const redis::address& where, std::int64_t jobs) {
    const auto executor = co_await asio::this_coro::executor;
    event done{executor};
    std::chrono::steady_clock::time_point started;
    queue::worker_options options;
    options.on_outcome = [&done](const queue::worker_options::outcome&) { done.set(); };
    queue::worker worker{executor, where, "bench",
                         [&started](queue::active_job&) { return note_start(started); }, options};
    worker.start();
    asio::steady_timer rest{executor};
    json::array samples;
    for (std::int64_t i = -1; i < jobs; ++i) { // the first one shows that the worker is there
        const auto called = std::chrono::steady_clock::now();
        co_await q.add(sample_job());
        co_await done.wait();
        done.reset();
        if (i >= 0) samples.push_back(std::chrono::duration<double, std::micro>(started - called).count());
        rest.expires_after(std::chrono::milliseconds{10}); // until the worker blocks again
        co_await rest.async_wait(asio::use_awaitable);
    }
    const auto now = std::chrono::steady_clock::now();
    co_await worker.stop(now + std::chrono::seconds{5}, now + std::chrono::seconds{6});
    co_return json::object{{"us", std::move(samples)}};
}

task<json::object> obey(const json::object& order, queue::queue& q, const redis::address& where) {
    const auto& work = order.at("work").as_string();
    const auto jobs = order.at("jobs").to_number<std::int64_t>();
    const auto concurrency = order.at("concurrency").to_number<std::int64_t>();
    const bool is_prioritized = order.at("prioritized").as_bool();
    if (work == "add") co_return co_await add(q, jobs, concurrency, is_prioritized);
    if (work == "add_bulk") co_return co_await add_bulk(q, jobs, concurrency, is_prioritized);
    if (work == "latency") co_return co_await latency(q, where, jobs);
    if (work == "process") co_return co_await process(where, jobs, concurrency);
    throw std::runtime_error("unknown work " + std::string{work});
}

task<void> serve(int fd, redis::address where) {
    const auto executor = co_await asio::this_coro::executor;
    asio::posix::stream_descriptor socket{executor, fd};
    redis::client_options options;
    options.wait_for_connection = true;
    redis::client client{executor, where, options};
    client.start();
    queue::queue q{client, "bench"};
    std::string buffer;
    for (;;) {
        boost::system::error_code ec;
        const auto n = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                                       asio::redirect_error(asio::use_awaitable, ec));
        if (ec) break;
        const auto order = json::parse(std::string_view{buffer}.substr(0, n)).as_object();
        buffer.erase(0, n);
        json::object answer;
        try {
            answer = co_await obey(order, q, where);
        } catch (const std::exception& e) {
            answer["error"] = e.what();
        }
        const auto line = json::serialize(answer) + "\n";
        co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
    }
    co_await client.stop();
}

} // namespace
} // namespace tiktrend::bench

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: tiktrend-bench-queue-load FD REDIS_URL\n", stderr);
        return 2;
    }
    tiktrend::asio::io_context context{1};
    tiktrend::asio::co_spawn(
        context, tiktrend::bench::serve(std::atoi(argv[1]), tiktrend::redis::parse_url(argv[2]).value()),
        [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    context.run();
}
