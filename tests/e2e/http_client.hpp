#pragma once
#include <simdjson.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::e2e {

/// One answer, with the header names in lower case.
struct answer {
    int status = 0; ///< 0: no answer (connection refused, reset, timeout)
    std::map<std::string, std::string> headers;
    std::string body;

    std::string header(const std::string& name) const;
    /// The body parsed; throws with the body in the message if it is not JSON. Lives as long as this answer's
    /// copies.
    simdjson::dom::element json() const;

private:
    std::shared_ptr<simdjson::dom::parser> parser_ = std::make_shared<simdjson::dom::parser>();
};

/// A blocking client for tests (libcurl).
class http_client {
public:
    explicit http_client(std::string base, std::string key = {})
        : base_{std::move(base)}, key_{std::move(key)} {}

    answer get(const std::string& path, const std::vector<std::string>& headers = {}) const;
    answer post(const std::string& path, const std::string& body,
                const std::vector<std::string>& headers = {}) const;
    answer send(const std::string& method, const std::string& path, const std::string& body,
                const std::vector<std::string>& headers) const;

private:
    std::string base_;
    std::string key_;
};

/// Text of member `name` at the top of a JSON object; empty if it is no string.
std::string text(simdjson::dom::element object, std::string_view name);
std::int64_t integer(simdjson::dom::element object, std::string_view name);

} // namespace tiktrend::e2e
