#include "sample_routes.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>

#include <atomic>
#include <charconv>

namespace tiktrend::testing {
namespace {

using namespace std::chrono_literals;

std::atomic<int> cancelled{0}, ended{0};

task<http::response> hello(http::request&) {
    co_return http::response::text(200, "hello");
}

task<http::response> echo(http::request& r) {
    co_return http::response::text(200, r.method_text + " " + r.target + " " + r.body);
}

task<http::response> item(http::request& r) {
    co_return http::response::text(200, std::string{r.param("id")});
}

task<http::response> who(http::request& r) {
    co_return http::response::text(200, r.remote_address + " " + r.request_id);
}

task<http::response> refuses(http::request&) {
    throw http::problem{429, "too_many", "Slow down."}.with_retry_after(7s);
    co_return http::response{};
}

task<http::response> breaks(http::request&) {
    throw std::runtime_error("the password is hunter2");
    co_return http::response{};
}

task<http::response> big(http::request&) {
    auto r = http::response::json(200, "");
    r.shared_body = std::make_shared<const std::string>(big_size, 'x');
    co_return r;
}

task<http::response> slow(http::request& r) {
    int ms = 0;
    const auto text = r.query.substr(r.query.find('=') + 1);
    std::from_chars(text.data(), text.data() + text.size(), ms);
    try {
        co_await sleep_for(std::chrono::milliseconds{ms});
    } catch (const system_error&) {
        ++cancelled;
        throw;
    }
    co_return http::response::text(200, "slow");
}

struct count_end {
    ~count_end() { ++ended; }
};

task<void> endless_events(http::event_stream& s) {
    const count_end counted;
    for (int i = 0; !s.is_draining(); ++i) {
        co_await s.send(std::to_string(i), "tick", "n=" + std::to_string(i));
        co_await sleep_for(10ms);
    }
    co_await s.send("", "bye", "draining");
}

task<void> three_events(http::event_stream& s) {
    const count_end counted;
    for (int i = 0; i < 3; ++i)
        co_await s.send(std::to_string(i), "", "line\nbreak");
    co_await s.comment("done");
}

task<void> silent_events(http::event_stream&) {
    const count_end counted;
    co_await sleep_for(1h);
}

task<void> flood_events(http::event_stream& s) {
    const count_end counted;
    const std::string data(100'000, 'x');
    for (;;)
        co_await s.send("", "", data);
}

task<void> failing_events(http::event_stream& s) {
    const count_end counted;
    co_await s.send("", "", "one");
    throw std::runtime_error("the stream broke");
}

http::handler stream(task<void> (*writer)(http::event_stream&)) {
    return [writer](http::request&) {
        const auto answer = [](task<void> (*w)(http::event_stream&)) -> task<http::response> {
            http::response r;
            r.stream = w;
            co_return r;
        };
        return answer(writer);
    };
}

} // namespace

int sample_counters::slow_cancelled() {
    return cancelled;
}
int sample_counters::streams_ended() {
    return ended;
}
void sample_counters::reset() {
    cancelled = ended = 0;
}

http::router sample_routes() {
    sample_counters::reset();
    http::router r;
    r.add(http::method::get, "/hello", hello);
    r.add(http::method::post, "/echo", echo);
    r.add(http::method::get, "/echo", echo);
    r.add(http::method::get, "/items/{id}", item);
    r.add(http::method::get, "/who", who);
    r.add(http::method::get, "/refuses", refuses);
    r.add(http::method::get, "/breaks", breaks);
    r.add(http::method::get, "/big", big);
    r.add(http::method::get, "/slow", slow);
    r.add(http::method::get, "/events", stream(endless_events));
    r.add(http::method::get, "/three", stream(three_events));
    r.add(http::method::get, "/silent", stream(silent_events));
    r.add(http::method::get, "/flood", stream(flood_events));
    r.add(http::method::get, "/failing", stream(failing_events));
    return r;
}

} // namespace tiktrend::testing
