// The command line `tiktrend` as operators and tools/run use it: a program with arguments, an environment and
// exit codes.
#include "run_tiktrend.hpp"

#include <tiktrend/testing/postgres_server.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/redis_topologies.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <boost/json.hpp>

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace tiktrend::testing;

namespace {

std::map<std::string, std::string> with_database(const std::string& url) {
    return {{"DATABASE_URL", url}};
}

} // namespace

TEST_CASE("migrate applies what is missing, once, and status says where it stands",
          "[integration][tiktrend]") {
    const auto database = with_database(postgres_server::shared().create_database("cli_migrate"));
    const auto before = run_tiktrend({"migrate", "--status"}, database);
    CHECK(before.status == 1);
    CHECK_THAT(before.output, Catch::Contains("pending 001_"));

    const auto first = run_tiktrend({"migrate"}, database);
    CHECK(first.status == 0);
    CHECK_THAT(first.output, Catch::StartsWith("applied 001_"));
    const auto second = run_tiktrend({"migrate"}, database);
    CHECK(second.status == 0);
    CHECK(second.output == "nothing to do\n");
    CHECK(run_tiktrend({"migrate", "--status"}, database).status == 0);
}

TEST_CASE("migrate --status --wait waits for the database and its schema, and ends when it is told to",
          "[integration][tiktrend]") {
    const auto& server = postgres_server::shared();
    const temp_dir dir;
    process::options options;
    options.environment = with_database(server.url("cli_wait")); // not made yet
    options.output = dir.path() / "output";
    const auto said = [&] {
        std::ifstream file{options.output};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    const std::vector<std::string> words{tiktrend_program(), "migrate", "--status", "--wait", "120"};
    process waiting{words, options};
    CHECK(poll_until([&] { return said().find("waiting: ") != std::string::npos; }));
    const auto database = with_database(server.create_database("cli_wait"));
    CHECK(poll_until([&] { return said().find("pending") != std::string::npos; }));
    CHECK(waiting.running());
    REQUIRE(run_tiktrend({"migrate"}, database).status == 0);
    CHECK(waiting.wait(std::chrono::seconds{20}) == 0);

    options.environment = with_database(server.url("cli_never"));
    process told_to_end{words, options};
    CHECK(poll_until([&] { return said().find("cli_never") != std::string::npos; }));
    told_to_end.signal(SIGTERM);
    CHECK(told_to_end.wait(std::chrono::seconds{10}) == 128 + SIGTERM);
    CHECK(run_tiktrend({"migrate", "--status", "--wait", "1"}, options.environment).status == 1);
    CHECK(run_tiktrend({"migrate", "--wait", "1"}, database).status == 2);
}

TEST_CASE("a key is made, listed and revoked", "[integration][tiktrend]") {
    const auto& server = postgres_server::shared();
    const auto database = with_database(server.create_database("cli_keys"));
    REQUIRE(run_tiktrend({"migrate"}, database).status == 0);

    const auto plain =
        run_tiktrend({"api-key", "create", "--email", "a@example.org", "--scopes", "read,scrape"}, database);
    REQUIRE(plain.status == 0);
    CHECK_THAT(plain.output, Catch::Matches("ttk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}\n"));

    const auto made = run_tiktrend({"api-key", "create", "--email", "A@example.org", "--scopes", "admin",
                                    "--name", "night \"job\"", "--expires-days", "30", "--json"},
                                   database);
    REQUIRE(made.status == 0);
    const auto key = boost::json::parse(made.output);
    CHECK(key.at("scopes") == boost::json::array{"admin"});
    const std::string id{key.at("id").as_string()};
    CHECK(key.at("key").as_string().starts_with("ttk_" + id + "_"));
    CHECK(server.execute("cli_keys", "select count(*) from users") == "1"); // one user, whatever the case

    const auto listed = run_tiktrend({"api-key", "list", "--email", "a@example.org"}, database);
    CHECK(listed.status == 0);
    CHECK_THAT(listed.output,
               Catch::Contains(id) && Catch::Contains("read,scrape") && Catch::Contains("night \"job\""));
    CHECK_THAT(listed.output, !Catch::Contains(std::string{key.at("key").as_string()}));

    CHECK(run_tiktrend({"api-key", "revoke", id}, database).status == 0);
    const auto again = run_tiktrend({"api-key", "revoke", id}, database);
    CHECK(again.status == 1);
    CHECK(again.output == "tiktrend: there is no key " + id + " that is in force\n");
    const auto nobody = run_tiktrend({"api-key", "list", "--email", "b@example.org"}, database);
    CHECK(nobody.status == 1);
    CHECK(nobody.output == "tiktrend: there is no user b@example.org\n");
}

TEST_CASE("users are made, listed and given limits of their own", "[integration][tiktrend]") {
    const auto& server = postgres_server::shared();
    const auto database = with_database(server.create_database("cli_users"));
    REQUIRE(run_tiktrend({"migrate"}, database).status == 0);
    const auto made =
        run_tiktrend({"user", "create", "--email", "a@example.org", "--subject", "idp|7"}, database);
    CHECK(made.status == 0);
    CHECK(made.output == "1\n");
    const auto again = run_tiktrend({"user", "create", "--email", "A@example.org"}, database);
    CHECK(again.status == 1);
    CHECK(again.output == "tiktrend: another user has this e-mail address\n");
    CHECK_THAT(run_tiktrend({"user", "list"}, database).output,
               Catch::Contains("a@example.org") && Catch::Contains("idp|7"));
    const auto set = [&](const char* kind, const char* limit) {
        return run_tiktrend({"user", "quota", "--email", "a@example.org", "--kind", kind, "--limit", limit},
                            database)
            .status;
    };
    CHECK(set("scrapes", "7") == 0);
    CHECK(server.execute("cli_users", "SELECT daily_limit FROM quotas") == "7");
    CHECK(set("scrapes", "standard") == 0);
    CHECK(server.execute("cli_users", "SELECT count(*) FROM quotas") == "0");
    CHECK(set("scrapes", "-1") == 2);
    CHECK(set("teas", "1") == 2);
}

TEST_CASE("what cannot be meant ends with 2 and one line", "[integration][tiktrend]") {
    const auto no_url = run_tiktrend({"migrate"}, with_database(""));
    CHECK(no_url.status == 2);
    CHECK_THAT(no_url.output, Catch::StartsWith("DATABASE_URL is not set"));
    const auto bad_url = run_tiktrend({"migrate"}, with_database("mysql://x"));
    CHECK(bad_url.status == 2);
    CHECK_THAT(bad_url.output, Catch::StartsWith("DATABASE_URL=\"mysql://x\": expected"));
    const auto scope =
        run_tiktrend({"api-key", "create", "--email", "a@example.org", "--scopes", "everything"},
                     with_database(postgres_server::shared().url()));
    CHECK(scope.status == 2);
    CHECK(scope.output == "--scopes=\"everything\": expected read, scrape, copy, admin or metrics\n");
    CHECK(run_tiktrend({}).status == 2);
    CHECK(run_tiktrend({"fly"}).status == 2);
    CHECK(run_tiktrend({"--help"}).status == 0);
}

TEST_CASE("a database that is away ends with 1 and no password", "[integration][tiktrend]") {
    const auto away = run_tiktrend(
        {"migrate"}, with_database("postgresql://me:hush@127.0.0.1:" + std::to_string(free_port()) +
                                   "/x?connect_timeout=3"));
    CHECK(away.status == 1);
    CHECK_THAT(away.output, Catch::StartsWith("tiktrend: ") && !Catch::Contains("hush"));
}

TEST_CASE("check-config names what is wrong with the servers and the definitions",
          "[integration][tiktrend]") {
    redis_server::options evicting;
    evicting.arguments = {"--maxmemory-policy", "allkeys-lru", "--maxmemory", "64mb"};
    redis_server queue;
    redis_server cache{evicting};
    const auto* source = std::getenv("TIKTREND_SOURCE_DIR");
    REQUIRE(source);
    auto environment = with_database(postgres_server::shared().create_database("cli_check"));
    environment["REDIS_QUEUE_URL"] = queue.url();
    environment["REDIS_CACHE_URL"] = cache.url();
    environment["SOURCES_DIR"] = std::string{source} + "/apps/worker/sources";

    const auto unmigrated = run_tiktrend({"check-config"}, environment);
    CHECK(unmigrated.status == 1);
    CHECK_THAT(unmigrated.output, Catch::Contains("wrong  DATABASE_URL"));
    REQUIRE(run_tiktrend({"migrate"}, environment).status == 0);
    const auto good = run_tiktrend({"check-config"}, environment);
    INFO(good.output);
    CHECK(good.status == 0);
    CHECK_THAT(good.output, Catch::Contains("demo.shop"));

    // Whatever the programs take: sentinels, which name a master that is asked.
    redis_sentinels sentinels;
    environment["REDIS_QUEUE_URL"] =
        "redis+sentinel://" + sentinels.hosts() + "/" + redis_sentinels::master_name;
    const auto behind_sentinels = run_tiktrend({"check-config"}, environment);
    INFO(behind_sentinels.output);
    CHECK(behind_sentinels.status == 0);
    CHECK_THAT(behind_sentinels.output,
               Catch::Contains("redis+sentinel://") && Catch::Contains("maxmemory-policy noeviction"));
    environment["REDIS_QUEUE_URL"] = "redis+sentinel://127.0.0.1"; // without the master's name
    const auto nameless = run_tiktrend({"check-config"}, environment);
    CHECK(nameless.status == 1);
    CHECK_THAT(nameless.output, Catch::Contains("redis+sentinel://host[:port],…/master"));
    environment["REDIS_QUEUE_URL"] = queue.url();
    environment["REDIS_CACHE_URL"] = "redis+cluster://127.0.0.1:7000";
    CHECK(run_tiktrend({"check-config", "--offline"}, environment).status == 1);
    environment["REDIS_CACHE_URL"] = cache.url();

    // As managed servers are: CONFIG is refused, INFO tells.
    redis_server::options managed;
    managed.arguments = {"--maxmemory-policy", "allkeys-lru", "--rename-command", "CONFIG", ""};
    const redis_server without_config{managed};
    environment["REDIS_QUEUE_URL"] = without_config.url();
    CHECK_THAT(run_tiktrend({"check-config"}, environment).output,
               Catch::Contains("maxmemory-policy is allkeys-lru, expected noeviction"));

    environment["REDIS_QUEUE_URL"] = cache.url(); // would lose jobs
    const auto evicts = run_tiktrend({"check-config"}, environment);
    CHECK(evicts.status == 1);
    CHECK_THAT(evicts.output, Catch::Contains("maxmemory-policy is allkeys-lru, expected noeviction"));

    const temp_dir definitions;
    std::ofstream{definitions.path() / "broken.yaml"} << "format: 1\nid: broken\nsurprise: 7\n";
    environment["SOURCES_DIR"] = definitions.path().string();
    const auto broken = run_tiktrend({"check-config", "--offline"}, environment);
    CHECK(broken.status == 1);
    CHECK_THAT(broken.output, Catch::Contains("broken.yaml") && Catch::Contains("surprise"));
}
