// tiktrend-demo-shop: a shop of the project's own, to scrape in demos and tests.
#include "shop.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/http/server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/signal_set.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

using namespace tiktrend;
using namespace std::chrono_literals;

/// Written beside and renamed, so that whoever waits for the file never reads half of it.
void write_port(const std::string& file, std::uint16_t port) {
    const auto beside = file + ".new";
    {
        std::ofstream out{beside};
        out << port << '\n';
        if (!out.flush()) throw std::runtime_error("cannot write " + beside);
    }
    std::filesystem::rename(beside, file);
}

task<void> serve_until_signal(http::server& server) {
    asio::signal_set signals{co_await asio::this_coro::executor, SIGTERM, SIGINT};
    co_await signals.async_wait(asio::as_tuple(asio::deferred));
    co_await server.stop(std::chrono::steady_clock::now() + 500ms);
}

} // namespace

int main(int argc, char** argv) {
    http::server_options options;
    std::size_t products = 240;
    std::uint64_t seed = 1;
    std::string port_file;

    CLI::App app{"A small shop that misbehaves on demand; see tools/demo-shop/shop.hpp for its addresses."};
    app.add_option("--address", options.address, "address to listen on")->capture_default_str();
    app.add_option("--port", options.port, "port; 0 takes a free one")->capture_default_str();
    app.add_option("--port-file", port_file, "write the port here once the shop answers");
    app.add_option("--products", products, "how many products")
        ->capture_default_str()
        ->check(CLI::Range(0, 100'000));
    app.add_option("--seed", seed, "another seed is another shop")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    // A shop under test is asked for much at once, and may be slow on purpose.
    options.max_connections_per_address = 0;
    options.handler_timeout = std::chrono::hours{1};
    options.drain_idle_grace = 50ms;
    options.log = logger::to_stderr(log_level::warn);
    try {
        asio::io_context context{1};
        demo_shop::shop shop{products, seed};
        http::server server{context.get_executor(), std::make_shared<const http::router>(shop.routes()),
                            options};
        server.start();
        std::printf("demo shop with %zu products on http://%s:%u\n", products, options.address.c_str(),
                    server.port());
        std::fflush(stdout);
        if (!port_file.empty()) write_port(port_file, server.port());
        task_group tasks{context.get_executor()};
        tasks.spawn("serve", serve_until_signal(server));
        context.run();
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "tiktrend-demo-shop: " << e.what() << '\n';
        return 1;
    }
}
