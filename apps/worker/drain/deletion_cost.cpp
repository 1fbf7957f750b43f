#include "deletion_cost.hpp"

#include <tiktrend/base/timeout.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

/// The API lives at a private address, so this client is allowed that host alone.
fetch::client_options client_options_for(const deletion_cost_options& o) {
    fetch::client_options c;
    fetch::address_guard::rules rules;
    if (const auto u = fetch::parse_url(o.api_url)) {
        const auto host = u->host.find(':') == std::string::npos ? u->host : '[' + u->host + ']';
        if (auto entry = fetch::parse_allow_entry(host + ':' + std::to_string(u->port)))
            rules.allow.push_back(std::move(*entry));
    }
    c.guard = fetch::address_guard{std::move(rules)};
    c.max_redirects = 0;
    c.connect_timeout = 2s;
    c.first_byte_timeout = 5s;
    c.total_timeout = 5s;
    if (const auto ca = std::filesystem::path{o.credentials_dir} / "ca.crt"; std::filesystem::exists(ca))
        c.ca_file = ca.string();
    return c;
}

std::string first_line(const std::filesystem::path& file) {
    std::string line;
    std::ifstream in{file};
    std::getline(in, line);
    return line;
}

} // namespace

bool is_worth_saying(std::size_t said, std::size_t now) noexcept {
    if ((said == 0) != (now == 0)) return true;
    const auto difference = said > now ? said - now : now - said;
    return difference != 0 && difference * 2 >= std::max(said, now);
}

deletion_cost::deletion_cost(asio::any_io_executor executor, deletion_cost_options options, logger log)
    : options_{std::move(options)}, log_{std::move(log)}, client_{executor, client_options_for(options_)} {}

task<bool> deletion_cost::patch(std::size_t cost) {
    fetch::request r{fmt::format("{}/api/v1/namespaces/{}/pods/{}", options_.api_url, options_.pod_namespace,
                                 options_.pod)};
    r.method = "PATCH";
    r.headers.push_back({"Content-Type", "application/merge-patch+json"});
    if (auto token = first_line(std::filesystem::path{options_.credentials_dir} / "token"); !token.empty()) {
        r.headers.push_back({"Authorization", "Bearer " + token, true});
        r.secrets.push_back(std::move(token));
    }
    r.body = fmt::format(
        R"({{"metadata":{{"annotations":{{"controller.kubernetes.io/pod-deletion-cost":"{}"}}}}}})", cost);
    const auto out = co_await client_.fetch(r);
    const bool is_done = out && out->status / 100 == 2;
    if (!is_done && !is_failing_)
        log_.warn("pod_deletion_cost_not_set",
                  {{"reason", out ? "status " + std::to_string(out->status) : out.error().message()}});
    is_failing_ = !is_done;
    co_return is_done;
}

task<void> deletion_cost::run(std::function<std::size_t()> active) {
    std::optional<std::size_t> said;
    for (;;) {
        const auto now = active();
        if ((!said || is_worth_saying(*said, now)) && co_await patch(now)) said = now;
        co_await sleep_for(options_.every);
    }
}

task<void> deletion_cost::stop() {
    return client_.stop();
}

} // namespace tiktrend::worker
