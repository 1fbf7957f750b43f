#include "worker_connection.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

TEST_CASE("an outage of a quarter of a lock's life leaves time to connect again and renew it",
          "[unit][queue]") {
    for (const auto lock : {10s, 15s, 30s, 60s, 600s}) {
        queue::worker_options worker;
        worker.lock_duration = lock;
        const auto c = queue::connection_for(worker);
        const auto outage_ends = worker.lock_duration / 2 + worker.lock_duration / 4;
        INFO("lock of " << lock.count() << " s");
        CHECK(worker.lock_duration / 2 + c.command_timeout <= outage_ends); // the silence was noticed
        CHECK(outage_ends + c.connect_timeout + c.reconnect_max < worker.lock_duration);
        CHECK(outage_ends + worker.lock_duration / 20 < worker.lock_duration); // lock_renewer's pause
        CHECK(c.reconnect_max <= 2s); // a failover is noticed soon, however long it took
    }
}

TEST_CASE("a short lock does not make a slow server a lost one", "[unit][queue]") {
    queue::worker_options worker;
    worker.lock_duration = 400ms;
    const auto c = queue::connection_for(worker);
    CHECK(c.command_timeout == 1s);
    CHECK(c.connect_timeout == 1s);
    CHECK(c.reconnect_max == 100ms);
}
