#pragma once
#include "http_client.hpp"

#include <tiktrend/testing/postgres_server.hpp>
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/redis_server.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <map>
#include <string>

namespace tiktrend::e2e {

/// A whole file as text; empty if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// The product on private servers: two Redis, PostgreSQL, demo shop, gateway, worker. Everything ends with
/// the object.
class stack {
public:
    struct options {
        options() {}
        bool with_worker = true;
        bool durable_queue = false;                 ///< the queue's Redis keeps its data over a restart
        std::map<std::string, std::string> gateway; ///< further environment
        std::map<std::string, std::string> worker;
    };
    explicit stack(const options& o = options{});

    const http_client& api() const noexcept { return *api_; } ///< with an admin key
    const http_client& anonymous() const noexcept { return *anonymous_; }
    const http_client& metrics() const noexcept { return *metrics_; }
    const http_client& shop() const noexcept { return *shop_; }
    const std::string& gateway_url() const noexcept { return gateway_url_; }
    /// 127.0.0.1:PORT of the gateway's /metrics.
    const std::string& metrics_address() const noexcept { return metrics_address_; }
    const std::string& api_key() const noexcept { return key_; }
    const std::string& database_url() const noexcept { return database_url_; }
    std::string shop_url() const { return shop_url_; }
    testing::redis_server& queue_redis() noexcept { return queue_redis_; }
    testing::redis_server& cache_redis() noexcept { return cache_redis_; }
    testing::postgres_server& database() noexcept { return database_; }
    testing::process& gateway() noexcept { return gateway_; }
    const std::filesystem::path& gateway_log() const noexcept { return gateway_log_; }
    testing::process& worker() noexcept { return worker_; }

    /// Another gateway on the same servers; it ends with the object. Ready when this returns, unless it
    /// speaks TLS or the PROXY protocol, which nobody here does.
    struct other_gateway {
        testing::process child;
        std::string url;
        std::string metrics_url;
        std::filesystem::path log;
    };
    other_gateway start_other_gateway(const std::map<std::string, std::string>& environment = {});

    /// Another worker on the same queue.
    testing::process start_worker(const std::map<std::string, std::string>& environment = {});

    /// Body of POST /scraping/start for the demo shop.
    std::string scrape_body() const;
    /// Sends it; the job's id.
    std::string start_scrape();
    /// Polls the job until it is completed or failed; its last answer.
    answer wait_for_job(const std::string& id,
                        std::chrono::milliseconds limit = std::chrono::seconds{60}) const;

    /// A new key with these scopes, comma separated.
    std::string make_key(const std::string& scopes, const std::string& email = "e2e@example.test");
    /// Runs the command line on these servers; its output. Throws std::runtime_error if it fails.
    std::string run_cli(std::vector<std::string> arguments);

private:
    void start_shop();
    void start_gateway(const std::map<std::string, std::string>& environment);
    void wait_until_ready(const std::string& url, const std::filesystem::path& log) const;
    std::map<std::string, std::string> common() const;
    std::string program(const std::string& name) const;

    testing::temp_dir dir_;
    testing::redis_server queue_redis_;
    testing::redis_server cache_redis_;
    testing::postgres_server database_;
    std::string database_url_;
    std::string shop_url_, gateway_url_, metrics_address_, key_;
    std::filesystem::path gateway_log_;
    testing::process shop_process_, gateway_, worker_;
    std::unique_ptr<http_client> api_, anonymous_, metrics_, shop_;
    std::map<std::string, std::string> worker_environment_;
    std::map<std::string, std::string> gateway_environment_;
    int workers_ = 0;
    int gateways_ = 0;
};

} // namespace tiktrend::e2e
