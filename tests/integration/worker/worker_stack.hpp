#pragma once
#include <tiktrend/testing/postgres_server.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::worker_tests {

using environment = std::map<std::string, std::string>;

/// Private Redis (queue, cache), PostgreSQL with the schema, and a demo shop of 250 products, for the real
/// worker program. Everything ends with the object; PostgreSQL's cluster is shared by the test program, the
/// database is not.
class worker_stack {
public:
    worker_stack();

    struct job_order {
        job_order() {}
        std::string name = "scrape_products";
        std::string data; ///< empty: the demo shop
        int attempts = 3;
        int backoff_ms = 50;
    };
    /// Adds a job through our own producer; its id.
    std::string add(const job_order& order = job_order{});

    /// A worker on this stack. Its output goes to log(n), n counting from 1.
    testing::process start_worker(const environment& extra = {});
    environment worker_environment(const environment& extra) const;
    std::string log(int n) const;
    /// GET from the metrics port of worker n; empty while it does not answer.
    std::string ask_worker(int n, const std::string& path) const;

    /// "waiting", "active", "completed", "failed", "delayed", "prioritized", or "none".
    std::string state(const std::string& id) const;
    /// A field of the job's hash; empty if absent.
    std::string field(const std::string& id, const std::string& name) const;
    bool wait_for_state(const std::string& id, const std::string& state,
                        std::chrono::milliseconds limit = std::chrono::seconds{30}) const;
    boost::json::object result(const std::string& id) const; ///< the return value
    boost::json::object progress(const std::string& id) const;

    std::string sql(const std::string& query) const;
    /// POST to the shop's control, e.g. a fault rule.
    void shop_post(const std::string& path, const std::string& body = "") const;
    std::string shop_get(const std::string& path) const;
    std::string shop_url() const { return "http://127.0.0.1:" + std::to_string(shop_port_); }
    std::string demo_data() const;

    testing::redis_server& queue_redis() noexcept { return queue_redis_; }
    testing::redis_server& cache_redis() noexcept { return cache_redis_; }
    testing::postgres_server& database_server() noexcept { return *database_server_; }
    /// Another cluster for tests that stop it.
    void use_own_database_server();
    const std::filesystem::path& directory() const noexcept { return dir_.path(); }

private:
    void make_database();
    std::string base() const { return "bull:scraping:"; }

    testing::temp_dir dir_;
    testing::redis_server queue_redis_;
    testing::redis_server cache_redis_;
    std::unique_ptr<testing::postgres_server> own_server_;
    testing::postgres_server* database_server_;
    std::string database_;
    std::string database_url_;
    unsigned short shop_port_;
    testing::process shop_;
    int workers_ = 0;
};

/// The program's path.
std::string program(const std::string& name);
std::string read_file(const std::filesystem::path& path);

} // namespace tiktrend::worker_tests
