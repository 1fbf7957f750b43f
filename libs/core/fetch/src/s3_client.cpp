#include <tiktrend/fetch/s3_client.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace tiktrend::fetch {
namespace {

constexpr std::size_t longest_complaint = 300;

url endpoint_of(const s3_options& o) {
    auto where = parse_url(o.endpoint);
    if (!where || where->target != "/")
        throw std::invalid_argument("an S3 endpoint is http(s)://HOST[:PORT], not " + o.endpoint);
    return std::move(*where);
}

std::string host_header(const url& where) {
    const auto host = where.host.find(':') == std::string::npos ? where.host : '[' + where.host + ']';
    const bool is_usual = where.port == (where.scheme == "https" ? 443 : 80);
    return is_usual ? host : fmt::format("{}:{}", host, where.port);
}

/// Its one host may have any address: the operator named it.
client_options http_options(const s3_options& o) {
    const auto where = endpoint_of(o);
    client_options out;
    address_guard::rules rules;
    const auto host = where.host.find(':') == std::string::npos ? where.host : '[' + where.host + ']';
    rules.allow.push_back(*parse_allow_entry(fmt::format("{}:{}", host, where.port)));
    out.guard = address_guard{std::move(rules)};
    out.max_redirects = 0; // a signature is for one place
    out.total_timeout = o.timeout;
    out.max_body_bytes = 64U << 10;
    out.ca_file = o.ca_file;
    out.log = o.log;
    return out;
}

} // namespace

s3_client::s3_client(asio::any_io_executor executor, s3_options options, const wall_clock& clock)
    : options_{std::move(options)}, host_{host_header(endpoint_of(options_))}, clock_{clock},
      http_{std::move(executor), http_options(options_)} {}

request s3_client::signed_request(const std::string& method, const std::string& name,
                                  const s3_object* object) const {
    sigv4_request order;
    order.method = method;
    order.path = '/' + options_.bucket + '/' + name;
    order.headers.emplace_back("host", host_);
    request out{endpoint_of(options_).origin() + percent_encode(order.path, true)};
    out.method = method;
    if (object) {
        order.body = object->bytes;
        order.headers.emplace_back("content-type", object->content_type);
        order.headers.emplace_back("cache-control", object->cache_control);
        out.body = object->bytes;
        out.headers.push_back({"content-type", object->content_type});
        out.headers.push_back({"cache-control", object->cache_control});
    }
    const std::chrono::sys_time<std::chrono::milliseconds> now{std::chrono::milliseconds{clock_.now_ms()}};
    for (auto& [header_name, value] :
         sign(order, options_.key, std::chrono::floor<std::chrono::seconds>(now)))
        out.headers.push_back({header_name, std::move(value), true});
    out.secrets.push_back(options_.key.secret_access_key);
    return out;
}

failure s3_client::refused(const response& answer, const std::string& name) const {
    failure f;
    f.kind = failure_kind::bad_response;
    f.cls =
        answer.status >= 500 || answer.status == 429 ? failure_class::transient : failure_class::permanent;
    f.detail = fmt::format("the store answered {} for {}: {}", answer.status, name,
                           answer.body.substr(0, longest_complaint));
    f.url = options_.endpoint;
    return f;
}

task<s3_result> s3_client::has(const std::string& name) {
    const auto order = signed_request("HEAD", name, nullptr);
    const auto answer = co_await http_.fetch(order);
    if (!answer) co_return answer.error();
    if (answer->status == 200) co_return true;
    if (answer->status == 404) co_return false;
    co_return refused(*answer, name);
}

task<s3_result> s3_client::put(const s3_object& object) {
    const auto order = signed_request("PUT", object.name, &object);
    const auto answer = co_await http_.fetch(order);
    if (!answer) co_return answer.error();
    if (answer->status == 200 || answer->status == 201 || answer->status == 204) co_return true;
    co_return refused(*answer, object.name);
}

task<void> s3_client::stop() {
    return http_.stop();
}

} // namespace tiktrend::fetch
