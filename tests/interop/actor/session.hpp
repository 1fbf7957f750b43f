#pragma once
#include "wire.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/redis/client.hpp>

#include <map>
#include <memory>
#include <string>

namespace tiktrend::interop {

/// Our side of an interop test: queues and workers under their names, driven by calls.
class session {
public:
    session(asio::any_io_executor executor, redis::address where);

    void start() { client_.start(); }
    /// Stops the workers, then the connection.
    task<void> stop();

    /// Runs one call of tests/interop/README.md. Throws for what it does not know.
    task<json::value> call(json::object request);

private:
    struct running_worker {
        json::array ran;
        std::unique_ptr<queue::worker> worker;
        bool stopped = false;
    };

    task<queue::queue*> queue_named(std::string name);
    task<json::value> queue_call(queue::queue& q, std::string_view verb, const json::object& request);
    void start_worker(const json::object& request);
    static task<void> stop_worker(running_worker& w);

    asio::any_io_executor executor_;
    redis::client client_;
    event gate_;
    std::map<std::string, std::unique_ptr<queue::queue>> queues_;
    std::map<std::string, std::unique_ptr<running_worker>> workers_;
};

} // namespace tiktrend::interop
