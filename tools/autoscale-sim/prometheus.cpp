#include "prometheus.hpp"

#include <curl/curl.h>
#include <simdjson.h>

#include <charconv>
#include <memory>

namespace tiktrend::autoscale {
namespace {

constexpr long limit_seconds = 5;
constexpr std::size_t most_bytes = 1 << 20;

std::size_t append(char* data, std::size_t size, std::size_t n, void* where) {
    auto& body = *static_cast<std::string*>(where);
    if (body.size() + size * n > most_bytes) return 0; // ends the transfer
    body.append(data, size * n);
    return size * n;
}

} // namespace

prometheus::prometheus(std::string base) : base_{std::move(base)} {
    while (base_.ends_with('/'))
        base_.pop_back();
}

std::optional<std::vector<double>> prometheus::query(const std::string& promql) const {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), curl_easy_cleanup};
    if (!curl) return std::nullopt;
    const std::unique_ptr<char, decltype(&curl_free)> escaped{
        curl_easy_escape(curl.get(), promql.data(), static_cast<int>(promql.size())), curl_free};
    const auto url = base_ + "/api/v1/query?query=" + escaped.get();
    std::string body;
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, limit_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
    if (curl_easy_perform(curl.get()) != CURLE_OK) return std::nullopt;
    return parse_vector(body);
}

std::optional<std::vector<double>> parse_vector(std::string_view body) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    const simdjson::padded_string text{body};
    if (parser.parse(text).get(document) != simdjson::SUCCESS) return std::nullopt;
    std::string_view status, type;
    simdjson::dom::array results;
    if (document["status"].get(status) != simdjson::SUCCESS || status != "success" ||
        document["data"]["resultType"].get(type) != simdjson::SUCCESS || type != "vector" ||
        document["data"]["result"].get(results) != simdjson::SUCCESS)
        return std::nullopt;
    std::vector<double> out;
    for (const auto result : results) {
        std::string_view value;
        double number = 0;
        if (result["value"].at(1).get(value) != simdjson::SUCCESS) return std::nullopt;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size()) return std::nullopt; // NaN, +Inf
        out.push_back(number);
    }
    return out;
}

} // namespace tiktrend::autoscale
