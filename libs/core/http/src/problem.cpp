#include <tiktrend/base/json_text.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>

namespace tiktrend::http {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
    out += ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, text);
}

bool is_index(std::string_view text) {
    return !text.empty() && text.size() < 10 && (text == "0" || text.front() != '0') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void append_errors(std::string& out, const std::vector<invalid_field>& errors) {
    out += ",\"errors\":[";
    for (std::size_t i = 0; i < errors.size(); ++i) {
        out += i ? ",{\"loc\":[" : "{\"loc\":[";
        for (std::size_t k = 0; k < errors[i].loc.size(); ++k) {
            if (k) out += ',';
            const auto& part = errors[i].loc[k];
            if (is_index(part))
                out += part;
            else
                append_json_string(out, part);
        }
        out += ']';
        append_member(out, "msg", errors[i].msg);
        append_member(out, "type", errors[i].type);
        out += '}';
    }
    out += ']';
}

} // namespace

problem::problem(int status, std::string code, std::string detail)
    : status_{status}, code_{std::move(code)}, detail_{std::move(detail)} {}

problem& problem::with_retry_after(std::chrono::seconds after) {
    return with_header("Retry-After", std::to_string(std::max<std::chrono::seconds::rep>(after.count(), 0)));
}

problem& problem::with_header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
}

problem& problem::with_errors(std::vector<invalid_field> errors) {
    errors_ = std::move(errors);
    return *this;
}

problem& problem::with_type(std::string uri) {
    type_ = std::move(uri);
    return *this;
}

problem& problem::with_member(std::string name, std::string json) {
    members_.emplace_back(std::move(name), std::move(json));
    return *this;
}

response problem::to_response(std::string_view request_id) const {
    std::string body;
    body.reserve(256);
    body += "{\"type\":";
    append_json_string(body, type_.empty() ? std::string_view{"about:blank"} : std::string_view{type_});
    append_member(body, "title", reason_phrase(status_));
    body += ",\"status\":";
    append_json_number(body, std::int64_t{status_});
    append_member(body, "detail", detail_);
    append_member(body, "code", code_);
    if (!request_id.empty()) {
        append_member(body, "instance", "/requests/" + std::string{request_id});
        append_member(body, "request_id", request_id);
    }
    if (!errors_.empty()) append_errors(body, errors_);
    for (const auto& [name, json] : members_) {
        body += ',';
        append_json_string(body, name);
        body += ':';
        body += json;
    }
    body += '}';
    auto r = response::text(status_, std::move(body), "application/problem+json");
    for (const auto& [name, value] : headers_)
        r.headers.set(name, value);
    return r;
}

problem validation_problem(std::vector<invalid_field> errors) {
    std::string detail = "The request is not valid.";
    if (!errors.empty()) {
        detail.clear();
        for (const auto& part : errors.front().loc)
            detail += (detail.empty() ? "" : ".") + part;
        detail += ": " + errors.front().msg;
        if (errors.size() > 1) detail += " (and " + std::to_string(errors.size() - 1) + " more)";
    }
    problem p{422, "validation_failed", std::move(detail)};
    p.with_errors(std::move(errors));
    return p;
}

} // namespace tiktrend::http
