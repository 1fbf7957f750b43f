#include "config.hpp"
#include "metrics.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace tiktrend;

namespace {

std::string document(const std::string& name) {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    std::ostringstream out;
    out << std::ifstream{std::string{root ? root : "."} + "/docs/" + name}.rdbuf();
    const auto text = out.str();
    const auto worker = text.find("## Worker");
    return worker == std::string::npos ? std::string{} : text.substr(worker);
}

} // namespace

TEST_CASE("every variable of the worker is documented", "[unit][worker]") {
    config_reader reader{[](std::string_view) -> std::optional<std::string> { return {}; }};
    worker::read_config(reader);
    const auto text = document("configuration.md");
    REQUIRE(reader.entries().size() > 30);
    for (const auto& e : reader.entries()) {
        INFO(e.name);
        CHECK(text.find('`' + e.name + '`') != std::string::npos);
    }
}

TEST_CASE("every metric of the worker is documented", "[unit][worker]") {
    observe::registry registry;
    const worker::worker_metrics metrics{registry, "scraping", {"scrape_products"}, 10};
    const auto text = document("metrics.md");
    const auto names = registry.names();
    REQUIRE(names.size() > 20);
    for (const auto& name : names) {
        INFO(name);
        CHECK(text.find('`' + name + '`') != std::string::npos);
    }
}
