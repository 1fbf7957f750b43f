#include "status_routes.hpp"

#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;

namespace {

struct world {
    bool is_up = true;
    bool is_draining = false;
    observe::registry metrics;

    http::router routes() {
        status_source s;
        s.check = [this] { return std::vector<readiness>{{"database", is_up, "no connection"}}; };
        s.is_draining = [this] { return is_draining; };
        return status_routes(metrics, std::move(s));
    }
    http::response get(std::string target) {
        const auto table = routes();
        http::request r;
        r.target = std::move(target);
        r.path = r.target;
        http::response out;
        auto body = [](const http::router& t, http::request& request, http::response& answer) -> task<void> {
            answer = co_await t.handle(request);
        };
        testing::run_coroutine(body(table, r, out));
        return out;
    }
};

} // namespace

TEST_CASE("readiness follows the checks and the drain, liveness neither", "[unit][worker]") {
    world w;
    CHECK(w.get("/health/ready").status == 200);
    w.is_up = false;
    const auto down = w.get("/health/ready");
    CHECK(down.status == 503);
    CHECK(down.body ==
          R"({"status":"unavailable","checks":{"database":{"status":"down","detail":"no connection"}}})");
    CHECK(w.get("/health").status == 200);
    w.is_up = true;
    w.is_draining = true;
    CHECK(w.get("/health/ready").status == 503);
    CHECK(w.get("/health/ready").body.find("draining") != std::string::npos);
    CHECK(w.get("/health/live").status == 200);
}

TEST_CASE("metrics are exposed with the content type that Prometheus wants", "[unit][worker]") {
    world w;
    w.metrics.make_gauge("worker_draining", "help").set(0);
    const auto out = w.get("/metrics");
    CHECK(out.status == 200);
    CHECK(out.headers.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(out.body.find("worker_draining 0") != std::string::npos);
}
