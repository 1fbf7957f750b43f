#include "database.hpp"

#include "usage_error.hpp"

#include <tiktrend/base/config_reader.hpp>

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace tiktrend::cli {

std::string database_url() {
    config_reader reader;
    const auto url = reader.url("DATABASE_URL", "", {"postgresql", "postgres"});
    if (!reader.errors().empty()) throw usage_error(reader.errors().front());
    if (url.empty())
        throw usage_error("DATABASE_URL is not set: expected postgresql://user@host:port/database");
    return url;
}

int run(task<int> work) {
    asio::io_context context{1};
    int code = 1;
    std::exception_ptr error;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr e, int result) {
        error = std::move(e);
        code = result;
    });
    context.run();
    if (error) std::rethrow_exception(error);
    return code;
}

task<int> with_router(std::function<task<int>(postgres::router&)> work) {
    postgres::router_options options;
    options.pool.connection.url = database_url();
    options.pool.connection.application_name = "tiktrend-cli";
    options.pool.max_size = 1;
    options.pool.acquire_timeout = std::chrono::seconds{10};
    postgres::router router{co_await asio::this_coro::executor, std::move(options)};
    router.start();
    int code = 1;
    std::exception_ptr error;
    try {
        code = co_await work(router);
    } catch (...) {
        error = std::current_exception();
    }
    co_await router.stop();
    if (error) std::rethrow_exception(error);
    co_return code;
}

} // namespace tiktrend::cli
