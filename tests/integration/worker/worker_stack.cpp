#include "worker_stack.hpp"

#include <tiktrend/catalog/migrations.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/postgres/migrator.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tiktrend::worker_tests {
namespace {

using namespace std::chrono_literals;

task<void> migrate(std::string url) {
    postgres::connection_options o;
    o.url = std::move(url);
    postgres::connection c{co_await asio::this_coro::executor, o};
    co_await c.connect();
    const postgres::migrator m{catalog::migrations::files()};
    co_await m.up(c);
}

task<void> add_job(std::string url, queue::new_job job, std::string& id) {
    redis::client client{co_await asio::this_coro::executor, *redis::parse_url(url)};
    client.start();
    co_await client.wait_connected(5s);
    {
        queue::queue q{client, "scraping"};
        id = co_await q.add(std::move(job));
    }
    co_await client.stop();
}

task<void> call(fetch::request request, std::string& body, int& status) {
    fetch::client_options o;
    fetch::address_guard::rules rules;
    rules.allow.push_back(*fetch::parse_allow_entry("127.0.0.1:*"));
    o.guard = fetch::address_guard{rules};
    fetch::client client{co_await asio::this_coro::executor, o};
    const auto out = co_await client.fetch(request);
    if (out) {
        body = out->body;
        status = out->status;
    }
    co_await client.stop();
}

int http_call(std::string url, std::string method, std::string body, std::string& answer) {
    fetch::request r{std::move(url)};
    r.method = std::move(method);
    r.body = std::move(body);
    if (!r.body.empty()) r.headers.push_back({"content-type", "application/json"});
    int status = 0;
    testing::run_coroutine(call(std::move(r), answer, status));
    return status;
}

boost::json::object object_of(const std::string& text) {
    return text.empty() ? boost::json::object{} : boost::json::parse(text).as_object();
}

std::string unique_name() {
    static int n = 0;
    return "worker_" + std::to_string(++n);
}

} // namespace

std::string program(const std::string& name) {
    const char* dir = std::getenv("TIKTREND_BIN_DIR");
    return (dir ? std::string{dir} : std::string{"build/dev/bin"}) + '/' + name;
}

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
}

worker_stack::worker_stack()
    : database_server_{&testing::postgres_server::shared()}, database_{unique_name()},
      shop_port_{testing::free_port()} {
    make_database();
    testing::process::options o;
    o.output = dir_.path() / "shop.log";
    const auto ready = dir_.path() / "shop.port";
    shop_ = testing::process{{program("tiktrend-demo-shop"), "--port", std::to_string(shop_port_),
                              "--products", "250", "--port-file", ready.string()},
                             o};
    if (!testing::poll_until([&] { return std::filesystem::exists(ready); }))
        throw std::runtime_error("the demo shop did not start: " + read_file(o.output));
}

void worker_stack::make_database() {
    database_url_ = database_server_->create_database(database_);
    testing::run_coroutine(migrate(database_url_));
}

void worker_stack::use_own_database_server() {
    own_server_ = std::make_unique<testing::postgres_server>();
    database_server_ = own_server_.get();
    make_database();
}

std::string worker_stack::demo_data() const {
    return R"({"source":"demo.shop","filters":{"shop":")" + shop_url() +
           R"(","per_page":50},"request_id":"test"})";
}

std::string worker_stack::add(const job_order& order) {
    queue::job_options o;
    o.attempts = order.attempts;
    queue::backoff_options backoff;
    backoff.delay = std::chrono::milliseconds{order.backoff_ms};
    o.backoff = backoff;
    o.priority = 5;
    std::string id;
    testing::run_coroutine(
        add_job(queue_redis_.unix_url(),
                queue::new_job{order.name, order.data.empty() ? demo_data() : order.data, o}, id));
    return id;
}

environment worker_stack::worker_environment(const environment& extra) const {
    const char* source_dir = std::getenv("TIKTREND_SOURCE_DIR");
    environment e{{"REDIS_QUEUE_URL", queue_redis_.unix_url()},
                  {"REDIS_CACHE_URL", cache_redis_.unix_url()},
                  {"DATABASE_URL", database_url_},
                  {"SOURCES_DIR", std::string{source_dir ? source_dir : "."} + "/apps/worker/sources"},
                  {"FETCH_ALLOW", "127.0.0.1:" + std::to_string(shop_port_)},
                  {"FETCH_RETRY_BASE", "20ms"},
                  {"METRICS_PORT", "0"},
                  {"TREND_REFRESH", "0s"}, // its job is for the tests that want it
                  {"DRAIN_DELAY", "200ms"},
                  {"DRAIN_TIMEOUT", "10s"},
                  {"LOG_LEVEL", "info"}};
    for (const auto& [name, value] : extra)
        e[name] = value;
    return e;
}

testing::process worker_stack::start_worker(const environment& extra) {
    const auto n = std::to_string(++workers_);
    testing::process::options o;
    o.environment = worker_environment(extra);
    o.environment["PORT_FILE"] = (dir_.path() / ("worker" + n + ".port")).string();
    o.output = dir_.path() / ("worker" + n + ".log");
    return testing::process{{program("tiktrend-worker")}, o};
}

std::string worker_stack::log(int n) const {
    return read_file(dir_.path() / ("worker" + std::to_string(n) + ".log"));
}

std::string worker_stack::ask_worker(int n, const std::string& path) const {
    const auto text = read_file(dir_.path() / ("worker" + std::to_string(n) + ".port"));
    const auto equals = text.find('=');
    if (equals == std::string::npos) return {};
    const auto port = text.substr(equals + 1, text.find('\n') - equals - 1);
    std::string answer;
    http_call("http://127.0.0.1:" + port + path, "GET", "", answer);
    return answer;
}

std::string worker_stack::state(const std::string& id) const {
    for (const char* name : {"completed", "failed", "delayed", "prioritized"})
        if (queue_redis_.command({"ZSCORE", base() + name, id}) != "(nil)") return name;
    const auto holds = [&](const char* list) {
        return ('\n' + queue_redis_.command({"LRANGE", base() + list, "0", "-1"}) + '\n')
                   .find('\n' + id + '\n') != std::string::npos;
    };
    if (holds("active")) return "active";
    return holds("wait") ? "waiting" : "none";
}

std::string worker_stack::field(const std::string& id, const std::string& name) const {
    const auto value = queue_redis_.command({"HGET", base() + id, name});
    return value == "(nil)" ? std::string{} : value;
}

bool worker_stack::wait_for_state(const std::string& id, const std::string& wanted,
                                  std::chrono::milliseconds limit) const {
    return testing::poll_until([&] { return state(id) == wanted; }, limit);
}

boost::json::object worker_stack::result(const std::string& id) const {
    return object_of(field(id, "returnvalue"));
}
boost::json::object worker_stack::progress(const std::string& id) const {
    return object_of(field(id, "progress"));
}

std::string worker_stack::sql(const std::string& query) const {
    return database_server_->execute(database_, query);
}

void worker_stack::shop_post(const std::string& path, const std::string& body) const {
    std::string answer;
    const int status = http_call(shop_url() + path, "POST", body, answer);
    if (status < 200 || status > 299) throw std::runtime_error("the shop refused " + path + ": " + answer);
}

std::string worker_stack::shop_get(const std::string& path) const {
    std::string answer;
    http_call(shop_url() + path, "GET", "", answer);
    return answer;
}

} // namespace tiktrend::worker_tests
