#include "worker_stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker_tests;

TEST_CASE("bad input 43: a job with wrong data fails at once with the reason, whatever attempts it has",
          "[integration][worker]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    const auto good_shop = R"("shop":")" + stack.shop_url() + '"';
    struct row {
        std::string name;
        std::string data;
        std::string reason;
    };
    std::string five_megabytes;
    while (five_megabytes.size() < 5U << 20)
        five_megabytes += R"("https://shop.example/p/one-of-very-many",)";
    const auto text_of = [](std::string s) {
        std::erase(s, '"');
        return s;
    };
    const row table[] = {
        {"scrape_products",
         R"({"source":"generic.product_page","filters":{"url":[)" + five_megabytes + R"("x"]}})",
         "data.filters.url: "},
        {"scrape_products",
         R"({"source":"generic.product_page","filters":{"url":")" + text_of(five_megabytes) + R"("}})",
         "data.filters.url: "},
        {"scrape_products", "[]", "data: expected a JSON object with source and filters"},
        {"scrape_products", "{}", "data.source: missing"},
        {"scrape_products", R"({"source":"no.such"})", "data.source: unknown source \"no.such\""},
        {"scrape_products", R"({"source":"demo.shop","filters":[]})", "data.filters: expected an object"},
        {"scrape_products", R"({"source":"demo.shop","filters":{}})", "data.filters.shop: "},
        {"scrape_products", R"({"source":"demo.shop","filters":{)" + good_shop + R"(,"per_page":"many"}})",
         "data.filters.per_page: "},
        {"scrape_products", R"({"source":"demo.shop","filters":{)" + good_shop + R"(,"per_page":9999}})",
         "data.filters.per_page: "},
        {"scrape_products", R"({"source":"demo.shop","filters":{)" + good_shop + R"(,"page":1}})",
         "data.filters.page: "},
        {"scrape_products", R"({"source":"demo.shop","filters":{)" + good_shop + R"(},"more":1})",
         "data.more: unknown member"},
        {"scrape_products", R"({"source":"demo.shop","filters":{"shop":"http://10.0.0.1"}})",
         "address_forbidden"},
        {"scrape_products", R"({"source":"demo.shop","filters":{"shop":"http://127.0.0.1:1"}})",
         "port_forbidden"},
        {"mirror_the_moon", "{}",
         "unknown job name \"mirror_the_moon\"; expected mirror_images, refresh_trending_summary, "
         "scrape_products"},
    };
    for (const auto& r : table) {
        worker_stack::job_order order;
        order.name = r.name;
        order.data = r.data;
        const auto id = stack.add(order);
        INFO(r.data.substr(0, 200));
        REQUIRE(stack.wait_for_state(id, "failed"));
        INFO(stack.field(id, "failedReason"));
        CHECK(stack.field(id, "failedReason").find(r.reason) == 0);
        CHECK(stack.field(id, "atm") == "1");
    }
    CHECK(stack.sql("SELECT count(*) FROM products") == "0");
    // The worker is as good as before.
    const auto id = stack.add();
    CHECK(stack.wait_for_state(id, "completed"));
}
