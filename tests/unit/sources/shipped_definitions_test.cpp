// The definitions that come with the worker: each parses and passes its own tests, and the recorded
// storefront page gives what its manifest states.

#include <tiktrend/sources/definition_test.hpp>
#include <tiktrend/sources/page.hpp>
#include <tiktrend/sources/registry.hpp>
#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace tiktrend::sources;
namespace fs = std::filesystem;

namespace {

fs::path folder() {
    return tiktrend::testing::source_root() / "apps" / "worker" / "sources";
}

registry_ptr shipped() {
    auto loaded = load_registry(folder());
    if (!loaded)
        for (const auto& e : loaded.error())
            UNSCOPED_INFO(to_string(e));
    REQUIRE(loaded.has_value());
    return *loaded;
}

page_result read_storefront(const std::string& body, const std::string& input, const std::string& url) {
    const auto source = shipped()->find("shopify.storefront");
    REQUIRE(source);
    const auto inputs = validate_input(*source, input);
    REQUIRE(inputs.has_value());
    response_view response;
    response.content_type = "application/json; charset=utf-8";
    response.url = url;
    response.body = body;
    return read_page(*source, *inputs, first_page(*source), response);
}

} // namespace

TEST_CASE("every shipped definition passes the tests in its file", "[unit][sources][shipped]") {
    const auto registry = shipped();
    REQUIRE(registry->all().size() >= 2);
    for (const auto& source : registry->all()) {
        CAPTURE(source->id);
        CHECK(source->test_count > 0);
        const auto results =
            run_definition_tests(*source, [](std::string_view name) -> std::optional<std::string> {
                const auto file = folder() / name;
                if (!fs::exists(file)) return std::nullopt;
                return tiktrend::testing::read_file(file);
            });
        REQUIRE(results.size() == source->test_count);
        for (const auto& result : results)
            for (const auto& failure : result.failures)
                FAIL_CHECK(source->file << ":" << result.line << ": " << failure);
    }
}

TEST_CASE("the recorded storefront page gives the products that its manifest states",
          "[unit][sources][samples]") {
    const auto body = tiktrend::testing::sample("shopify/storefront-products.json");
    if (!body) {
        WARN("skipped: no ../shared/samples/shopify beside the repository");
        return;
    }
    const auto page = read_storefront(*body, R"({"shop":"127.0.0.1:4000"})",
                                      "http://127.0.0.1:4000/products.json?limit=250&page=1");
    CAPTURE(page.message);
    REQUIRE(page.outcome == outcome::ok);
    REQUIRE(page.records.size() == 17);
    CHECK(page.statistics.rows == 17);
    CHECK(page.statistics.valid == 17);
    CHECK(page.statistics.problems.empty());
    CHECK(page.next->number == 2);
    const auto& first = page.records.front();
    CHECK(first.key == "127.0.0.1:4000/7184716955843");
    CHECK(first.text("title") == "Just for 1-2 ( Fruit and Veg)");
    CHECK(first.text("price_min") == "30.00");
    CHECK(first.text("price_max") == "30.00");
    CHECK(first.text("vendor") == "Annie's Organic Farm");
    CHECK(first.text("url") == "https://127.0.0.1:4000/products/just-for-1-2");
    CHECK_FALSE(first.text("currency"));
    CHECK(first.list("tags").empty());
    CHECK(first.text("description")
              ->starts_with("Introducing our new box!\nDesigned for 1- 2 person households."));
    for (const auto& r : page.records) {
        CHECK_FALSE(r.text("was_price")); // compare_at_price is null everywhere
        CHECK(r.lowest_price());
        CHECK(r.text("image")->starts_with("https://cdn.shopify.com/"));
    }
    CHECK(page.records[2].list("tags").size() == 23);
    CHECK(page.records[2].list("tags")[0] == "annie's farm");
}

TEST_CASE("the Admin API's sample is not misread by the storefront's rules", "[unit][sources][samples]") {
    const auto body = tiktrend::testing::sample("shopify/admin-api-products.json");
    if (!body) {
        WARN("skipped: no ../shared/samples/shopify beside the repository");
        return;
    }
    const auto page = read_storefront(*body, R"({"shop":"shop.example","currency":"USD"})",
                                      "https://shop.example/products.json");
    CAPTURE(page.message);
    REQUIRE(page.outcome == outcome::ok);
    for (const auto& r : page.records) {
        // tags is one comma-separated text there; in_stock comes from a member that it does not have
        for (const auto& tag : r.list("tags"))
            CHECK(tag.find(',') == std::string::npos);
        CHECK_FALSE(r.boolean("in_stock"));
        CHECK(r.text("currency") == "USD");
    }
}

TEST_CASE("a page of a hundred products is read quickly", "[.bench][sources]") {
    const auto body = tiktrend::testing::sample("shopify/storefront-products.json");
    REQUIRE(body);
    const auto source = shipped()->find("shopify.storefront");
    const auto inputs = validate_input(*source, R"({"shop":"shop.example","currency":"EUR"})");
    page_reader reader;
    response_view response;
    response.content_type = "application/json";
    response.url = "https://shop.example/products.json";
    response.body = *body;
    constexpr int rounds = 2000;
    std::size_t records = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i)
        records += reader.read(*source, *inputs, first_page(*source), response).records.size();
    const auto took =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    WARN(body->size() << " bytes, " << records / rounds << " products: " << took / rounds << " us a page, "
                      << took * 100 / double(records) << " us for 100 products");
}
