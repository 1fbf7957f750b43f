#include "http_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::e2e {
namespace {

std::size_t append_body(char* data, std::size_t size, std::size_t n, void* out) {
    static_cast<std::string*>(out)->append(data, size * n);
    return size * n;
}

std::size_t append_header(char* data, std::size_t size, std::size_t n, void* out) {
    const std::string_view line{data, size * n};
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
        std::string name{line.substr(0, colon)};
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return std::tolower(c); });
        auto value = line.substr(colon + 1);
        while (!value.empty() && (value.front() == ' '))
            value.remove_prefix(1);
        while (!value.empty() && (value.back() == '\r' || value.back() == '\n'))
            value.remove_suffix(1);
        (*static_cast<std::map<std::string, std::string>*>(out))[name] = value;
    }
    return size * n;
}

} // namespace

std::string answer::header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? std::string{} : it->second;
}

simdjson::dom::element answer::json() const {
    simdjson::dom::element root;
    if (parser_->parse(body).get(root) != simdjson::SUCCESS) throw std::runtime_error("not JSON: " + body);
    return root;
}

std::string text(simdjson::dom::element object, std::string_view name) {
    std::string_view value;
    return object.at_key(name).get(value) == simdjson::SUCCESS ? std::string{value} : std::string{};
}

std::int64_t integer(simdjson::dom::element object, std::string_view name) {
    std::int64_t value = 0;
    return object.at_key(name).get(value) == simdjson::SUCCESS ? value : -1;
}

answer http_client::get(const std::string& path, const std::vector<std::string>& headers) const {
    return send("GET", path, {}, headers);
}

answer http_client::post(const std::string& path, const std::string& body,
                         const std::vector<std::string>& headers) const {
    auto all = headers;
    if (std::none_of(all.begin(), all.end(),
                     [](const std::string& h) { return h.starts_with("Content-Type"); }))
        all.emplace_back("Content-Type: application/json");
    return send("POST", path, body, all);
}

answer http_client::send(const std::string& method, const std::string& path, const std::string& body,
                         const std::vector<std::string>& headers) const {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), &curl_easy_cleanup};
    curl_slist* list = nullptr;
    for (const auto& h : headers)
        list = curl_slist_append(list, h.c_str());
    if (!key_.empty() && std::none_of(headers.begin(), headers.end(),
                                      [](const std::string& h) { return h.starts_with("Authorization"); }))
        list = curl_slist_append(list, ("Authorization: Bearer " + key_).c_str());
    list = curl_slist_append(list, "Expect:");
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owned{list, &curl_slist_free_all};
    answer out;
    const auto url = base_ + path;
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, list);
    if (method != "GET") {
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
    }
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append_body);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &out.body);
    curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, append_header);
    curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &out.headers);
    if (curl_easy_perform(curl.get()) == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
        out.status = static_cast<int>(status);
    }
    return out;
}

} // namespace tiktrend::e2e
