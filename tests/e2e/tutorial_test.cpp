// docs/adding-a-source.md, "From nothing to products", as a new user follows it: its definition and its
// commands, in an empty folder.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

using namespace tiktrend;

namespace {

struct tutorial {
    std::string definition;
    std::string commands; ///< what stands behind the definition
};

tutorial read_tutorial() {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    const auto text = e2e::read_file(std::filesystem::path{root ? root : "."} / "docs/adding-a-source.md");
    const auto from = text.find("## From nothing to products\n");
    REQUIRE(from != std::string::npos);
    std::istringstream lines{text.substr(from, text.find("\n## ", from) - from)};
    tutorial out;
    bool is_yaml = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```"))
            is_yaml = line == "```yaml";
        else if (is_yaml)
            out.definition += line + '\n';
        else if (line.starts_with("    ") && !out.definition.empty())
            out.commands += line.substr(4) + '\n';
    }
    return out;
}

} // namespace

TEST_CASE("the tutorial leads from an empty folder to products in the database", "[e2e][tutorial]") {
    const auto steps = read_tutorial();
    REQUIRE(steps.definition.find("id: first.shop") != std::string::npos);
    REQUIRE(steps.commands.find("tiktrend source enable") != std::string::npos);
    e2e::stack::options fast;
    fast.gateway = fast.worker = {{"SOURCES_REFRESH", "200ms"}};
    e2e::stack s{fast};
    const testing::temp_dir folder;
    std::ofstream{folder.path() / "first.shop.yaml"} << steps.definition;
    const char* bin = std::getenv("TIKTREND_BIN_DIR");
    testing::process::options o;
    o.environment = {{"DEMO_SHOP_URL", s.shop_url()},
                     {"GATEWAY_URL", s.gateway_url()},
                     {"API_KEY", s.api_key()},
                     {"DATABASE_URL", s.database_url()},
                     {"PATH", std::string{bin ? bin : "build/dev/bin"} + ":" + std::getenv("PATH")}};
    o.output = folder.path() / "said";
    const auto status = testing::run(
        {"bash", "-euo", "pipefail", "-c", "cd " + folder.path().string() + "\n" + steps.commands}, o);
    const auto said = e2e::read_file(o.output);
    INFO(said);
    REQUIRE(status == 0);
    CHECK(said.find("outcome ok") != std::string::npos);
    CHECK(said.find("ok fixtures/first.shop/page.json") != std::string::npos);
    CHECK(said.find("enabled first.shop version 1") != std::string::npos);
    CHECK(said.find("event: completed") != std::string::npos);
    CHECK(said.find("\"source\": \"first.shop\"") != std::string::npos);
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM products WHERE source = 'first.shop'") == "250");
    // The gateway tells of it too, by itself.
    CHECK(s.api().get("/sources/first.shop").status == 200);
}
