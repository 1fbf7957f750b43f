// Adds a report that waits for two pages, in queues of their own, and reads the tree back.
#include <tiktrend/queue/flow_producer.hpp>

#include <boost/asio/co_spawn.hpp>

#include <iostream>

using namespace tiktrend;

task<void> add_report(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    co_await client.wait_connected(std::chrono::seconds{2});
    queue::flow_producer flows{client};
    queue::job_options page_options;
    page_options.attempts = 3;
    page_options.fail_parent_on_failure = true; // without a page there is no report
    queue::flow_node report{"report", "reports"};
    report.children.emplace_back("page", "pages", R"({"number":1})", page_options);
    report.children.emplace_back("page", "pages", R"({"number":2})", page_options);
    const auto added = co_await flows.add(std::move(report));

    const auto tree = co_await flows.get_flow("reports", added.id);
    std::cout << tree->job.name << " is " << queue::to_string(tree->state) << std::endl;
    for (const auto& child : tree->children)
        std::cout << "  " << child.job.data << " is " << queue::to_string(child.state) << std::endl;
    co_await client.stop();
}

int main(int argc, char** argv) {
    asio::io_context context{1};
    asio::co_spawn(context,
                   add_report(redis::parse_url(argc > 1 ? argv[1] : "redis://127.0.0.1:6379").value()),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    context.run();
}
