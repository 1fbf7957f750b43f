#include "stack.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tiktrend::e2e {

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
}

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    if (!value) throw std::runtime_error(std::string{name} + " is not set; run the test with ctest");
    return value;
}

/// Values of `NAME=value` lines once the file is there.
std::map<std::string, std::string> wait_for_ports(const std::filesystem::path& path,
                                                  testing::process& owner) {
    testing::poll_until([&] { return std::filesystem::exists(path) || !owner.running(); },
                        std::chrono::seconds{30});
    std::map<std::string, std::string> out;
    std::istringstream lines{read_file(path)};
    for (std::string line; std::getline(lines, line);)
        if (const auto equals = line.find('='); equals != std::string::npos)
            out[line.substr(0, equals)] = line.substr(equals + 1);
    return out;
}

testing::redis_server::options queue_options(const stack::options& o) {
    testing::redis_server::options out;
    out.append_only = o.durable_queue;
    return out;
}

} // namespace

stack::stack(const options& o) : queue_redis_{queue_options(o)}, worker_environment_{o.worker} {
    database_url_ = database_.create_database("e2e");
    testing::process::options run_options;
    run_options.environment = common();
    if (testing::run({program("tiktrend"), "migrate"}, run_options) != 0)
        throw std::runtime_error("tiktrend migrate failed");
    start_shop();
    key_ = make_key("read,scrape,copy,admin,metrics");
    start_gateway(o.gateway);
    if (o.with_worker) worker_ = start_worker();
}

std::string stack::program(const std::string& name) const {
    return environment("TIKTREND_BIN_DIR") + '/' + name;
}

std::map<std::string, std::string> stack::common() const {
    return {{"REDIS_QUEUE_URL", queue_redis_.unix_url()},
            {"REDIS_CACHE_URL", cache_redis_.unix_url()},
            {"DATABASE_URL", database_url_},
            {"SOURCES_DIR", environment("TIKTREND_SOURCE_DIR") + "/apps/worker/sources"},
            {"TREND_REFRESH", "0s"}, // its job would be one that no test counts
            {"LOG_LEVEL", "info"}};
}

void stack::start_shop() {
    const auto ports = dir_.path() / "shop.port";
    testing::process::options o;
    o.output = dir_.path() / "shop.log";
    shop_process_ = testing::process{
        {program("tiktrend-demo-shop"), "--port", "0", "--products", "250", "--port-file", ports.string()},
        o};
    testing::poll_until([&] { return std::filesystem::exists(ports) && !read_file(ports).empty(); },
                        std::chrono::seconds{20});
    std::istringstream text{read_file(ports)};
    std::string port;
    text >> port;
    if (const auto equals = port.find('='); equals != std::string::npos) port.erase(0, equals + 1);
    if (port.empty()) throw std::runtime_error("the demo shop did not start: " + read_file(o.output));
    shop_url_ = "http://127.0.0.1:" + port;
    shop_ = std::make_unique<http_client>(shop_url_);
}

std::string stack::run_cli(std::vector<std::string> arguments) {
    const auto out = dir_.path() / "cli.out";
    std::filesystem::remove(out);
    testing::process::options o;
    o.environment = common();
    o.output = out;
    arguments.insert(arguments.begin(), program("tiktrend"));
    if (testing::run(arguments, o) != 0)
        throw std::runtime_error("tiktrend " + arguments[1] + " failed: " + read_file(out));
    return read_file(out);
}

std::string stack::make_key(const std::string& scopes, const std::string& email) {
    const auto out = run_cli({"api-key", "create", "--email", email, "--scopes", scopes, "--json"});
    const auto at = out.find("ttk_");
    return out.substr(at, out.find('"', at) - at);
}

stack::other_gateway stack::start_other_gateway(const std::map<std::string, std::string>& extra) {
    const auto name = "gateway" + std::to_string(gateways_++);
    const auto ports = dir_.path() / (name + ".port");
    testing::process::options o;
    o.environment = common();
    o.environment["GATEWAY_PORT"] = "0";
    o.environment["METRICS_PORT"] = "0";
    o.environment["GATEWAY_THREADS"] = "2";
    o.environment["PORT_FILE"] = ports.string();
    o.environment["CURSOR_SECRET"] = "a secret of the tests";
    o.environment["LAME_DUCK"] = "200ms";
    o.environment["DRAIN_TIMEOUT"] = "5s";
    for (const auto& [variable, value] : gateway_environment_)
        o.environment[variable] = value;
    for (const auto& [variable, value] : extra)
        o.environment[variable] = value;
    o.output = dir_.path() / (name + ".log");
    other_gateway out;
    out.child = testing::process{{program("tiktrend-gateway")}, o};
    auto values = wait_for_ports(ports, out.child);
    if (values["GATEWAY_PORT"].empty())
        throw std::runtime_error("the gateway did not start: " + read_file(o.output));
    out.url = "http://127.0.0.1:" + values["GATEWAY_PORT"];
    out.metrics_url = "http://127.0.0.1:" + values["METRICS_PORT"];
    out.log = o.output;
    if (!o.environment.contains("PROXY_PROTOCOL") && !o.environment.contains("TLS_CERT_FILE"))
        wait_until_ready(out.url, o.output);
    return out;
}

void stack::wait_until_ready(const std::string& url, const std::filesystem::path& log) const {
    const http_client probe{url};
    if (!testing::poll_until([&] { return probe.get("/health/ready").status == 200; },
                             std::chrono::seconds{20}))
        throw std::runtime_error("the gateway does not get ready: " + read_file(log));
}

void stack::start_gateway(const std::map<std::string, std::string>& extra) {
    gateway_environment_ = extra;
    auto started = start_other_gateway();
    gateway_ = std::move(started.child);
    gateway_url_ = started.url;
    gateway_log_ = started.log;
    api_ = std::make_unique<http_client>(gateway_url_, key_);
    anonymous_ = std::make_unique<http_client>(gateway_url_);
    metrics_ = std::make_unique<http_client>(started.metrics_url);
    metrics_address_ = started.metrics_url.substr(sizeof("http://") - 1);
}

testing::process stack::start_worker(const std::map<std::string, std::string>& extra) {
    testing::process::options o;
    o.environment = common();
    o.environment["METRICS_PORT"] = "0";
    o.environment["FETCH_ALLOW"] = shop_url_.substr(sizeof("http://") - 1);
    for (const auto& [name, value] : worker_environment_)
        o.environment[name] = value;
    for (const auto& [name, value] : extra)
        o.environment[name] = value;
    o.output = dir_.path() / ("worker" + std::to_string(++workers_) + ".log");
    return testing::process{{program("tiktrend-worker")}, o};
}

std::string stack::scrape_body() const {
    return R"({"source":"demo.shop","filters":{"shop":")" + shop_url_ + R"("}})";
}

std::string stack::start_scrape() {
    const auto r = api_->post("/scraping/start", scrape_body());
    if (r.status != 202)
        throw std::runtime_error("start answered " + std::to_string(r.status) + ": " + r.body);
    return text(r.json(), "job_id");
}

answer stack::wait_for_job(const std::string& id, std::chrono::milliseconds limit) const {
    answer last;
    testing::poll_until(
        [&] {
            last = api_->get("/scraping/jobs/" + id);
            if (last.status != 200) return false;
            const auto state = text(last.json(), "state");
            return state == "completed" || state == "failed";
        },
        limit);
    return last;
}

} // namespace tiktrend::e2e
