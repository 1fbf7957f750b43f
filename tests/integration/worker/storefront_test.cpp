#include "worker_stack.hpp"

#include <tiktrend/http/query.hpp>
#include <tiktrend/http/server.hpp>
#include <tiktrend/testing/samples.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

/// Serves a recorded page as page 1 of /products.json, an empty list as every other page, from a thread of
/// its own.
class recorded_shop {
public:
    explicit recorded_shop(std::string page) : page_{std::move(page)} {
        auto routes = std::make_shared<http::router>();
        routes->add(http::method::get, "/products.json",
                    [this](http::request& r) { return answer(page_, std::string{r.query}); });
        server_ = std::make_unique<http::server>(context_.get_executor(), std::move(routes),
                                                 http::server_options{});
        server_->start();
        thread_ = std::thread{[this] { context_.run(); }};
    }
    ~recorded_shop() {
        asio::co_spawn(context_, server_->stop(std::chrono::steady_clock::now() + 200ms), asio::use_future)
            .get();
        work_.reset();
        thread_.join();
    }
    unsigned short port() const { return server_->port(); }

private:
    static task<http::response> answer(const std::string& page, std::string query) {
        const bool is_first = query.find("page=1") != std::string::npos;
        co_return http::response::json(200, is_first ? page : R"({"products":[]})");
    }

    std::string page_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::unique_ptr<http::server> server_;
    std::thread thread_;
};

} // namespace

TEST_CASE("a recorded storefront page goes through the queue into the products that its manifest states",
          "[integration][worker][recorded]") {
    const auto page = testing::sample("shopify/storefront-products.json");
    if (!page) {
        WARN("skipped: no recorded samples beside the repository");
        return;
    }
    const recorded_shop shop{*page};
    worker_stack stack;
    const auto host = "127.0.0.1:" + std::to_string(shop.port());
    const auto worker = stack.start_worker({{"FETCH_ALLOW", host}, {"PLAIN_HTTP_HOSTS", host}});
    worker_stack::job_order order;
    order.data = R"({"source":"shopify.storefront","filters":{"shop":")" + host + R"("}})";
    const auto id = stack.add(order);
    REQUIRE(testing::poll_until([&] { return stack.state(id) == "completed" || stack.state(id) == "failed"; },
                                30s));
    INFO(stack.field(id, "failedReason"));
    REQUIRE(stack.state(id) == "completed");
    const auto result = stack.result(id);
    INFO(boost::json::serialize(result));
    CHECK(result.at("products_found") == 17);
    CHECK(result.at("products_changed") == 17);
    CHECK(stack.sql("SELECT count(*) FROM products WHERE source = 'shopify.storefront'") == "17");
    CHECK(stack.sql("SELECT title, price_min::numeric(10,2), attributes->>'vendor', "
                    "coalesce(currency, '-') "
                    "FROM products WHERE external_id = '" +
                    host + "/7184716955843'") ==
          "Just for 1-2 ( Fruit and Veg)|30.00|Annie's Organic Farm|-");
    CHECK(stack.sql("SELECT count(*) FROM products WHERE attributes ? 'was_price'") == "0");
}
