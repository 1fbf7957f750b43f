// tiktrend source: what an author of a definition sees.
#include <tiktrend/testing/postgres_server.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace tiktrend::testing;
namespace fs = std::filesystem;

namespace {

struct outcome {
    int status;
    std::string output;
};

outcome run_source(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
    const auto* folder = std::getenv("TIKTREND_BIN_DIR");
    REQUIRE(folder);
    const auto program = std::string{folder} + "/tiktrend";
    arguments.insert(arguments.begin(), program);
    const temp_dir dir;
    process::options options;
    options.environment = std::move(environment);
    options.output = dir.path() / "output";
    const auto status = run(std::move(arguments), options);
    std::ifstream file{options.output};
    return {status, {std::istreambuf_iterator<char>{file}, {}}};
}

std::string shipped(const std::string& name) {
    const auto* root = std::getenv("TIKTREND_SOURCE_DIR");
    return (fs::path{root != nullptr ? root : "."} / "apps" / "worker" / "sources" / name).string();
}

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << text;
}

const std::string tea = R"(format: 1
id: tea.shop
kind: product
request: {url: "https://tea.example/list"}
documents: {body: {parse: json}}
records: {from: body, path: [items]}
key: [field:number]
fields:
  number: {path: [id], type: text, required: true}
  title: {any_of: [[label], [name]], required: true}
  price: {path: [cost], currency: EUR}
tests:
  - {response: fixtures/page.json, expect: {count: 1, first: {title: Sencha, price: "7.50"}}}
)";

} // namespace

TEST_CASE("check names file, line, field and what stands there", "[integration][tiktrend]") {
    const temp_dir dir;
    const auto file = (dir.path() / "tea.yaml").string();
    write(file, "format: 1\nid: tea.shop\nkind: product\ncolour: red\n");
    const auto found = run_source({"source", "check", file});
    CHECK(found.status == 1);
    CHECK_THAT(found.output, Catch::Contains("tea.yaml:4:1: colour: unknown key"));
    const auto good =
        run_source({"source", "check", shipped("demo.shop.yaml"), shipped("generic.product_page.yaml")});
    CHECK(good.status == 0);
    CHECK_THAT(good.output, Catch::Contains("generic.product_page version 2"));
    CHECK(run_source({"source", "check", "/nowhere.yaml"}).status == 1);
}

TEST_CASE("try shows what each field got and from which alternative, and stores nothing",
          "[integration][tiktrend]") {
    const temp_dir dir;
    const auto file = (dir.path() / "tea.yaml").string();
    write(file, tea);
    write(dir.path() / "page.json",
          R"({"items":[{"id":1,"name":"Sencha","cost":"7,50 €"},{"id":2,"cost":"call us"}]})");
    const auto found = run_source({"source", "try", file, "--response", (dir.path() / "page.json").string()});
    INFO(found.output);
    CHECK(found.status == 0);
    CHECK_THAT(found.output, Catch::Contains("2 rows, 1 valid"));
    CHECK_THAT(found.output, Catch::Contains("1 × from name"));
    CHECK_THAT(found.output,
               Catch::Contains("tea.yaml:10: fields.title: row 1: nothing was found, and the field "
                               "is required; looked at label, then name"));
    CHECK_THAT(
        found.output,
        Catch::Contains("tea.yaml:11: fields.price: row 1: \"call us\" has no number; looked at cost"));
    CHECK_THAT(found.output, Catch::Contains(R"("title":"Sencha")"));
    // an address that may not be asked is refused before any packet
    const auto refused =
        run_source({"source", "try", shipped("generic.product_page.yaml"), "--url", "http://127.0.0.1/x"});
    CHECK(refused.status == 1);
    CHECK_THAT(refused.output, Catch::Contains("address_forbidden"));
    CHECK(run_source({"source", "try", shipped("generic.product_page.yaml"), "--url", "ftp://a.example/"})
              .status == 2);
}

TEST_CASE("enable stores a version whose tests pass, once, and disable takes it out of use",
          "[integration][tiktrend]") {
    const auto& server = postgres_server::shared();
    const std::map<std::string, std::string> database{
        {"DATABASE_URL", server.create_database("cli_sources")}};
    REQUIRE(run_source({"migrate"}, database).status == 0);
    const temp_dir dir;
    const auto file = (dir.path() / "tea.yaml").string();
    write(file, tea);
    write(dir.path() / "fixtures" / "page.json", R"({"items":[{"id":1,"name":"Oolong","cost":"7,50"}]})");
    const auto failing = run_source({"source", "enable", file}, database);
    CHECK(failing.status == 1);
    CHECK_THAT(failing.output, Catch::Contains("first.title: expected \"Sencha\", found \"Oolong\""));
    CHECK_THAT(failing.output, Catch::Contains("not enabled"));

    write(dir.path() / "fixtures" / "page.json", R"({"items":[{"id":1,"name":"Sencha","cost":"7,50"}]})");
    CHECK(run_source({"source", "test", file}).status == 0);
    const auto enabled = run_source({"source", "enable", file}, database);
    INFO(enabled.output);
    CHECK(enabled.status == 0);
    CHECK(server.execute("cli_sources",
                         "select id || ' ' || version from source_definitions where is_enabled") ==
          "tea.shop 1");
    CHECK(run_source({"source", "enable", file}, database).status == 0); // the same again

    write(file, tea + "about: changed\n");
    const auto changed = run_source({"source", "enable", file}, database);
    CHECK(changed.status == 1);
    CHECK_THAT(changed.output, Catch::Contains("raise its version"));
    write(file, "version: 2\n" + tea);
    CHECK(run_source({"source", "enable", file}, database).status == 0);
    CHECK(server.execute("cli_sources", "select count(*) from source_definitions") == "2");

    const auto in_use = [&] {
        return server.execute("cli_sources", "select count(*) from source_definitions where is_enabled");
    };
    const auto disabled = run_source({"source", "disable", "tea.shop"}, database);
    CHECK(disabled.status == 0);
    CHECK_THAT(disabled.output, Catch::Contains("disabled tea.shop"));
    CHECK(in_use() == "0");
    const auto again = run_source({"source", "disable", "tea.shop"}, database);
    CHECK(again.status == 1);
    CHECK_THAT(again.output, Catch::Contains("tea.shop: is not enabled in the database"));
    CHECK(run_source({"source", "enable", file}, database).status == 0); // and back
    CHECK(in_use() == "1");
}
