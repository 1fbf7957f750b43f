#include "spot_watcher.hpp"

#include <tiktrend/base/timeout.hpp>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto aws_token_life = 6h;

std::string default_url(cloud where) {
    return where == cloud::gcp ? "http://metadata.google.internal" : "http://169.254.169.254";
}

/// The metadata address is what the address guard exists to refuse, so this client is allowed that host
/// alone.
fetch::client_options client_options_for(const spot_options& o) {
    fetch::client_options c;
    fetch::address_guard::rules rules;
    if (const auto u = fetch::parse_url(o.url)) {
        const auto host = u->host.find(':') == std::string::npos ? u->host : '[' + u->host + ']';
        if (auto entry = fetch::parse_allow_entry(host + ':' + std::to_string(u->port)))
            rules.allow.push_back(std::move(*entry));
    }
    c.guard = fetch::address_guard{std::move(rules)};
    c.max_redirects = 0;
    c.max_body_bytes = 1U << 20;
    c.connect_timeout = 2s;
    c.first_byte_timeout =
        o.where == cloud::azure ? 120s : 5s; // Azure's first answer switches its service on
    c.total_timeout = c.first_byte_timeout + 2s;
    return c;
}

spot_options with_url(spot_options o) {
    if (o.url.empty()) o.url = default_url(o.where);
    if (o.url.ends_with('/')) o.url.pop_back();
    return o;
}

} // namespace

spot_watcher::spot_watcher(asio::any_io_executor executor, spot_options options, logger log)
    : options_{with_url(std::move(options))}, log_{std::move(log)},
      client_{executor, client_options_for(options_)} {}

void spot_watcher::unreachable(std::string_view why) {
    if (!std::exchange(is_unreachable_, true))
        log_.warn("spot_metadata_unreachable", {{"url", options_.url}, {"reason", why}});
}

/// The body of a 200; nothing for a 404, which means "no notice", and for what failed.
task<std::optional<std::string>> spot_watcher::get(std::string path, fetch::header with) {
    fetch::request r{options_.url + path};
    r.headers.push_back(std::move(with));
    auto out = co_await client_.fetch(r);
    if (!out) {
        unreachable(out.error().message());
        co_return std::nullopt;
    }
    if (out->status == 401) aws_token_until_ = {}; // the token was withdrawn
    if (out->status != 200) {
        if (out->status != 404) unreachable("status " + std::to_string(out->status));
        co_return std::nullopt;
    }
    is_unreachable_ = false;
    co_return std::move(out->body);
}

task<void> spot_watcher::renew_aws_token() {
    fetch::request r{options_.url + "/latest/api/token"};
    r.method = "PUT";
    const auto life = std::chrono::duration_cast<std::chrono::seconds>(aws_token_life).count();
    r.headers.push_back({"X-aws-ec2-metadata-token-ttl-seconds", std::to_string(life)});
    const auto out = co_await client_.fetch(r);
    if (!out || out->status != 200) {
        unreachable(out ? "no token: status " + std::to_string(out->status) : out.error().message());
        co_return;
    }
    aws_token_ = out->body;
    aws_token_until_ = steady::now() + aws_token_life - 5min;
}

task<std::optional<spot_notice>> spot_watcher::ask_aws() {
    if (steady::now() >= aws_token_until_) co_await renew_aws_token();
    if (steady::now() >= aws_token_until_) co_return std::nullopt;
    const fetch::header token{"X-aws-ec2-metadata-token", aws_token_, true};
    if (const auto body = co_await get("/latest/meta-data/spot/instance-action", token))
        if (auto notice = read_aws_action(*body)) co_return notice;
    const auto hint = co_await get("/latest/meta-data/events/recommendations/rebalance", token);
    has_hint_ = has_hint_ || (hint && hint->find("noticeTime") != std::string::npos);
    co_return std::nullopt;
}

/// Every machine of a scale set is told the events of all of them, so this one has to know its name first
/// (learn.microsoft.com/azure/virtual-machines/linux/scheduled-events, "Event scope").
task<std::optional<spot_notice>> spot_watcher::ask_azure() {
    const fetch::header metadata{"Metadata", "true"};
    if (options_.resource.empty()) {
        constexpr auto path = "/metadata/instance/compute/name?api-version=2021-02-01&format=text";
        if (auto name = co_await get(path, metadata)) options_.resource = std::move(*name);
        if (options_.resource.empty()) co_return std::nullopt;
        log_.info("spot_resource", {{"name", options_.resource}});
    }
    const auto body = co_await get("/metadata/scheduledevents?api-version=2020-07-01", metadata);
    co_return body ? read_azure_events(*body, options_.resource) : std::nullopt;
}

task<std::optional<spot_notice>> spot_watcher::ask_once() {
    if (options_.where == cloud::aws) co_return co_await ask_aws();
    if (options_.where == cloud::gcp) {
        const auto body =
            co_await get("/computeMetadata/v1/instance/preempted", {"Metadata-Flavor", "Google"});
        co_return body ? read_gcp_preempted(*body) : std::nullopt;
    }
    co_return co_await ask_azure();
}

task<spot_notice> spot_watcher::wait(std::function<void()> on_hint) {
    for (;;) {
        const auto next = steady::now() + options_.every;
        const bool had_hint = has_hint_;
        if (auto notice = co_await ask_once()) co_return std::move(*notice);
        if (has_hint_ && !had_hint) {
            log_.warn("spot_rebalance_recommended");
            on_hint();
        }
        co_await sleep_for(next - steady::now());
    }
}

task<void> spot_watcher::stop() {
    return client_.stop();
}

} // namespace tiktrend::worker
