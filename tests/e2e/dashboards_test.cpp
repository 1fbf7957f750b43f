// Every query of every Grafana dashboard on a real Prometheus that has scraped a real gateway and worker.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

using namespace tiktrend;
namespace fs = std::filesystem;

namespace {

std::string value_of(const fs::path& file, const std::string& key) {
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key + '=')) return line.substr(key.size() + 1);
    return {};
}

std::string url_encoded(const std::string& text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (std::isalnum(u) != 0)
            out += c;
        else
            (((out += '%') += digits[u >> 4]) += digits[u & 15]);
    }
    return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, what.size(), by);
    return text;
}

/// A Prometheus on a free port that scrapes each second.
class prometheus {
public:
    prometheus(const std::string& gateway, const std::string& worker) {
        std::ofstream{dir_.path() / "prometheus.yml"}
            << "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
            << "- {job_name: gateway, static_configs: [{targets: ['" << gateway << "']}]}\n"
            << "- {job_name: worker, static_configs: [{targets: ['" << worker << "']}]}\n";
        testing::process::options o;
        o.output = dir_.path() / "log";
        for (int attempt = 0; attempt < 5 && !client_;
             ++attempt) { // somebody may take the port before it does
            const auto port =
                std::to_string(20000 + (static_cast<int>(::getpid()) * 7 + attempt * 1013) % 12000);
            process_ =
                testing::process{{"prometheus", "--config.file=" + (dir_.path() / "prometheus.yml").string(),
                                  "--storage.tsdb.path=" + (dir_.path() / "data").string(),
                                  "--web.listen-address=127.0.0.1:" + port},
                                 o};
            const e2e::http_client client{"http://127.0.0.1:" + port};
            testing::poll_until([&] { return !process_.running() || client.get("/-/ready").status == 200; },
                                std::chrono::seconds{30});
            if (process_.running()) client_.emplace(client);
        }
        if (!client_) throw std::runtime_error("prometheus does not start: " + e2e::read_file(o.output));
    }

    /// How many series the query has; -1 if it is refused.
    int series(const std::string& query) const {
        const auto r = client_->get("/api/v1/query?query=" + url_encoded(query));
        if (r.status != 200) return -1;
        return static_cast<int>(r.json()["data"]["result"].get_array().value().size());
    }

private:
    testing::temp_dir dir_;
    testing::process process_;
    std::optional<e2e::http_client> client_;
};

/// Nothing to see without a replica, which this stack has not.
const std::set<std::string> needs_a_replica{"max by (replica) (db_replica_lag_seconds)",
                                            "min by (replica) (db_replica_serving)"};

} // namespace

TEST_CASE("every panel of every dashboard shows something", "[e2e][dashboards]") {
    const testing::temp_dir dir;
    e2e::stack::options o;
    o.worker["PORT_FILE"] = (dir.path() / "worker.port").string();
    e2e::stack s{o};
    REQUIRE(testing::poll_until([&] { return !value_of(dir.path() / "worker.port", "METRICS_PORT").empty(); },
                                std::chrono::seconds{20}));
    const prometheus p{s.metrics_address(),
                       "127.0.0.1:" + value_of(dir.path() / "worker.port", "METRICS_PORT")};
    REQUIRE(testing::poll_until([&] { return p.series("up == 1") == 2; }, std::chrono::seconds{30}));
    // Traffic of every kind while Prometheus looks: rates need two samples.
    const auto traffic = [&] {
        s.wait_for_job(s.start_scrape());
        s.api().get("/products?limit=5");
        s.api().get("/products?limit=5");
    };
    traffic();

    int panels = 0;
    for (const auto& file :
         fs::directory_iterator{fs::path{std::getenv("TIKTREND_SOURCE_DIR")} / "deploy/grafana/dashboards"}) {
        simdjson::dom::parser parser;
        const simdjson::dom::element dashboard = parser.load(file.path().string());
        for (const auto panel : dashboard["panels"].get_array().value()) {
            for (const auto target : panel["targets"].get_array().value()) {
                auto query = std::string{target["expr"].get_string().value()};
                if (needs_a_replica.contains(query)) continue;
                query = replaced(replaced(query, "$__rate_interval", "1m"), "$queue", ".*");
                INFO(file.path().filename() << ", " << panel["title"] << ": " << query);
                CHECK(testing::poll_until(
                    [&] {
                        if (p.series(query) > 0) return true;
                        traffic();
                        return p.series(query) > 0;
                    },
                    std::chrono::seconds{20}));
            }
            ++panels;
        }
    }
    CHECK(panels > 40);
    CHECK(p.series("no_such_metric") == 0); // the check above can fail
}
