// deploy/backup on real servers: what is backed up comes back whole.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

using namespace tiktrend;

namespace {

std::string script(const std::string& name) {
    return std::string{std::getenv("TIKTREND_SOURCE_DIR")} + "/deploy/backup/" + name;
}

struct run_result {
    int status;
    std::string output;
};

run_result run(std::vector<std::string> argv, const std::map<std::string, std::string>& environment,
               const testing::temp_dir& dir) {
    testing::process::options o;
    o.environment = environment;
    o.output = dir.path() / "output";
    std::filesystem::remove(o.output);
    const int status = testing::run(std::move(argv), o);
    return {status, e2e::read_file(o.output)};
}

} // namespace

TEST_CASE("a backup of the database and the queue is restored whole", "[e2e][backup]") {
    e2e::stack s;
    s.wait_for_job(s.start_scrape());
    REQUIRE(s.worker().running());
    s.worker().kill();
    for (int i = 0; i < 3; ++i)
        s.start_scrape(); // these wait
    const auto products = s.api().get("/products?limit=100").body;
    const auto keys = s.queue_redis().command({"DBSIZE"});

    const testing::temp_dir dir;
    const std::map<std::string, std::string> servers{{"DATABASE_URL", s.database().url("e2e")},
                                                     {"REDIS_QUEUE_URL", s.queue_redis().unix_url()}};
    const auto made = run({script("backup.sh"), (dir.path() / "backups").string()}, servers, dir);
    INFO(made.output);
    REQUIRE(made.status == 0);
    auto backup = made.output;
    backup.erase(backup.find_last_not_of("\r\n") + 1);
    backup.erase(0, backup.rfind('\n') + 1);
    CHECK(run({script("restore.sh"), "--check", backup}, servers, dir).status == 0);

    SECTION("the database") {
        // Over what is there it refuses to go.
        CHECK(run({script("restore.sh"), "--database", backup}, servers, dir).status != 0);
        const auto database = s.database().create_database("restored");
        const auto restored =
            run({script("restore.sh"), "--database", backup}, {{"DATABASE_URL", database}}, dir);
        INFO(restored.output);
        REQUIRE(restored.status == 0);
        for (const auto* table : {"products", "product_history", "scrape_runs", "api_keys"}) {
            INFO(table);
            const std::string digest =
                std::string{
                    "select count(*), md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from "} +
                table + " t";
            const auto before = s.database().execute("e2e", digest);
            CHECK(before == s.database().execute("restored", digest));
        }
        CHECK(s.database().execute("restored", "select count(*) > 0 from products") == "t");
    }
    SECTION("the queue") {
        const testing::temp_dir data;
        std::filesystem::create_directory(data.path() / "appendonlydir");
        const auto restored =
            run({script("restore.sh"), "--queue", backup, data.path().string()}, servers, dir);
        INFO(restored.output);
        REQUIRE(restored.status == 0);
        CHECK_FALSE(std::filesystem::exists(data.path() / "appendonlydir"));
        testing::redis_server::options o;
        o.arguments = {"--dir", data.path().string()};
        const testing::redis_server other{o};
        CHECK(other.command({"DBSIZE"}) == keys);
        CHECK(other.command({"ZCARD", "bull:scraping:prioritized"}) == "3");
        CHECK(other.command({"ZCARD", "bull:scraping:completed"}) == "1");
    }
    SECTION("a damaged file is noticed") {
        std::filesystem::resize_file(backup + "/queue.rdb",
                                     std::filesystem::file_size(backup + "/queue.rdb") - 1);
        CHECK(run({script("restore.sh"), "--check", backup}, servers, dir).status == 1);
    }
    SECTION("old backups are removed, others are not") {
        const auto folder = dir.path() / "backups";
        for (const auto* name : {"20200101T000000Z", "20200102T000000Z", "20200103T000000Z", "mine"})
            std::filesystem::create_directory(folder / name);
        REQUIRE(run({script("backup.sh"), folder.string(), "--keep", "2"}, servers, dir).status == 0);
        CHECK_FALSE(std::filesystem::exists(folder / "20200101T000000Z"));
        CHECK_FALSE(std::filesystem::exists(folder / "20200103T000000Z"));
        CHECK(std::filesystem::exists(folder / "mine"));
        CHECK(std::distance(std::filesystem::directory_iterator{folder}, {}) == 3);
    }
    CHECK(s.api().get("/products?limit=100").body == products);
}
