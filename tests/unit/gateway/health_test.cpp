// What load balancers are told while servers come and go.
#include "routes/health.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <optional>
#include <stdexcept>

using namespace tiktrend;
using namespace tiktrend::gateway;
using namespace std::chrono_literals;

namespace {

struct stand_in {
    bool is_up = true;
    bool is_silent = false; ///< neither answers nor refuses

    task<void> probe() {
        if (is_silent) co_await sleep_for(1h);
        if (!is_up) throw std::runtime_error("refused");
    }
};

task<void> ask(http::handler h, http::response& out) {
    http::request r;
    out = co_await h(r);
}

struct asked_health {
    asio::io_context context{1};
    std::atomic<bool> draining{false}, was_ready{false};
    stand_in queue, database, state;
    health tested{context.get_executor(),
                  {{"queue", true, [this] { return queue.probe(); }},
                   {"database", true, [this] { return database.probe(); }},
                   {"state", true, [this] { return state.probe(); }, false}},
                  draining,
                  was_ready};

    std::string says(http::handler h) {
        http::response r;
        testing::run_on(context, ask(std::move(h), r));
        return std::to_string(r.status) + ' ' + std::string{r.body_view()};
    }
    /// Results are kept for a second.
    bool comes_to(const http::handler& h, std::string_view what) {
        return testing::poll_until([&] { return says(h) == what; });
    }
};

} // namespace

TEST_CASE("a balancer's check outlives the outage of one server, not of all", "[unit][gateway][health]") {
    asked_health h;
    h.database.is_up = false;
    CHECK(h.says(h.tested.serving()) == R"(503 {"status":"starting"})");
    h.database.is_up = true;
    REQUIRE(h.comes_to(h.tested.serving(), R"(200 {"status":"ok"})"));
    h.queue.is_up = false;
    CHECK(h.comes_to(h.tested.serving(), R"(200 {"status":"degraded"})"));
    CHECK(h.says(h.tested.ready()) == R"(503 {"status":"down"})");
    h.database.is_up = false; // the third is no server, so that it is well helps nobody
    CHECK(h.comes_to(h.tested.serving(), R"(503 {"status":"down"})"));
    h.queue.is_up = true;
    CHECK(h.comes_to(h.tested.serving(), R"(200 {"status":"degraded"})"));
    h.draining = true;
    CHECK(h.says(h.tested.serving()) == R"(503 {"status":"draining"})");
    CHECK(h.says(h.tested.live()).starts_with("200"));
}

TEST_CASE("servers that do not answer are waited for at once", "[unit][gateway][health]") {
    asked_health h;
    h.queue.is_silent = h.database.is_silent = h.state.is_silent = true;
    const auto start = std::chrono::steady_clock::now();
    CHECK(h.says(h.tested.ready()) == R"(503 {"status":"down"})");
    CHECK(std::chrono::steady_clock::now() - start < 2s); // one limit of a second, not three
}
