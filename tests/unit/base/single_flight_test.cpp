#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {

/// Something that takes until `go`, and is done once for all who ask meanwhile.
struct slow_thing {
    explicit slow_thing(asio::any_io_executor e) : flight{e}, go{e} {}
    single_flight flight;
    event go;
    int done = 0;
};

task<void> do_or_wait(slow_thing& t, int& ended) {
    if (t.flight.is_taken()) {
        co_await t.flight.wait();
        ++ended;
        co_return;
    }
    const auto mine = t.flight.take();
    co_await t.go.wait();
    ++t.done;
    ++ended;
}

task<void> take_and_wait(slow_thing& t, single_flight::lead) {
    co_await t.go.wait();
}

} // namespace

TEST_CASE("what many want meanwhile is done once, and then again", "[unit][base]") {
    asio::io_context io{1};
    slow_thing t{io.get_executor()};
    auto body = [](asio::io_context& c, slow_thing& thing) -> task<void> {
        int ended = 0;
        task_group group{c.get_executor()};
        for (int i = 0; i < 4; ++i)
            group.spawn("asks", do_or_wait(thing, ended));
        CHECK(thing.flight.is_taken());
        CHECK(thing.flight.waiting() == 3);
        thing.go.set();
        co_await group.join();
        CHECK(ended == 4);
        CHECK(thing.done == 1);
        CHECK_FALSE(thing.flight.is_taken());
        CHECK(thing.flight.waiting() == 0);
        co_await thing.flight.wait(); // nobody does it
        co_await do_or_wait(thing, ended);
        CHECK(thing.done == 2);
    };
    testing::run_on(io, body(io, t));
}

TEST_CASE("a flight whose leader is cancelled keeps nobody waiting", "[unit][base]") {
    asio::io_context io{1};
    slow_thing t{io.get_executor()};
    auto body = [](asio::io_context& c, slow_thing& thing) -> task<void> {
        int ended = 0;
        task_group group{c.get_executor()};
        auto& leader = group.spawn("leads", do_or_wait(thing, ended));
        group.spawn("waits", do_or_wait(thing, ended));
        leader.emit(asio::cancellation_type::terminal);
        co_await group.join();
        CHECK(ended == 1); // the one who waited
        CHECK(thing.done == 0);
        CHECK_FALSE(thing.flight.is_taken());
    };
    testing::run_on(io, body(io, t));
}

TEST_CASE("a lead can be handed to a task, and waited for with a deadline", "[unit][base]") {
    asio::io_context io{1};
    slow_thing t{io.get_executor()};
    auto body = [](asio::io_context& c, slow_thing& thing) -> task<void> {
        task_group group{c.get_executor()};
        group.spawn("leads", take_and_wait(thing, thing.flight.take()));
        CHECK_FALSE(co_await thing.flight.wait_until(std::chrono::steady_clock::now() + 1ms));
        CHECK(thing.flight.waiting() == 0);
        thing.go.set();
        CHECK(co_await thing.flight.wait_until(std::chrono::steady_clock::now() + 10s));
        co_await group.join();
        {
            const auto unused = take_and_wait(thing, thing.flight.take()); // a task that never runs
        }
        CHECK_FALSE(thing.flight.is_taken());
    };
    testing::run_on(io, body(io, t));
}
