#pragma once
#include "hand_worker.hpp"
#include "live_steps.hpp"

#include <tiktrend/base/clock.hpp>

namespace tiktrend::interop {

/// Our queue library as one side of the differential suite: queues and workers on one prefix, with the
/// suite's clock.
class stage {
public:
    stage(asio::any_io_executor executor, redis::address where, std::string prefix);
    void start() { client_.start(); }
    task<void> stop();

    /// Carries out one step (../README.md). Throws for one that it does not know.
    task<json::value> carry_out(json::object step);

private:
    struct open_queue {
        queue::queue_keys keys;
        std::unique_ptr<queue::queue> handle;
    };
    task<open_queue*> opened(const json::object& step);
    hand_worker& worker_of(open_queue& q, const json::object& step);
    task<json::value> queue_step(open_queue& q, std::string_view verb, const json::object& step);
    task<json::value> worker_step(open_queue& q, std::string_view verb, const json::object& step);

    redis::client client_;
    std::string prefix_;
    manual_clock clock_{0};
    std::shared_ptr<random_source> random_;
    std::map<std::string, open_queue> queues_;
    std::map<std::string, std::unique_ptr<hand_worker>> workers_;
    live_steps live_;
};

} // namespace tiktrend::interop
