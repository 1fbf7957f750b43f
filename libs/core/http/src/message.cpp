#include <tiktrend/http/message.hpp>

namespace tiktrend::http {
namespace {

constexpr std::size_t kept_capacity = 4096; ///< larger strings are given back between requests

void empty_out(std::string& s) {
    if (s.capacity() > kept_capacity)
        std::string{}.swap(s);
    else
        s.clear();
}

} // namespace

std::string_view to_string(method m) noexcept {
    switch (m) {
    case method::get:
        return "GET";
    case method::head:
        return "HEAD";
    case method::post:
        return "POST";
    case method::put:
        return "PUT";
    case method::patch:
        return "PATCH";
    case method::delete_:
        return "DELETE";
    case method::options:
        return "OPTIONS";
    case method::other:
        break;
    }
    return "OTHER";
}

method parse_method(std::string_view text) noexcept {
    for (const auto m : {method::get, method::post, method::head, method::put, method::patch, method::delete_,
                         method::options})
        if (text == to_string(m)) return m;
    return method::other;
}

std::string_view request::param(std::string_view name) const noexcept {
    for (const auto& [key, value] : path_params)
        if (key == name) return value;
    return {};
}

void request::set_target(std::string_view text) {
    target = text;
    const std::string_view all = target;
    const auto mark = all.find('?');
    path = all.substr(0, mark);
    query = mark == std::string_view::npos ? std::string_view{} : all.substr(mark + 1);
}

void request::reset() {
    method = method::get;
    method_text.clear();
    empty_out(target);
    path = query = {};
    headers.clear();
    empty_out(body);
    keep_alive = true;
    minor_version = 1;
    bytes_in = 0;
    request_id.clear();
    route = {};
    path_params.clear();
    notes_.clear();
}

response response::json(int status, std::string body) {
    return text(status, std::move(body), "application/json");
}

response response::text(int status, std::string body, std::string_view type) {
    response r;
    r.status = status;
    r.headers.add("Content-Type", type);
    r.body = std::move(body);
    return r;
}

response response::empty(int status) {
    response r;
    r.status = status;
    return r;
}

} // namespace tiktrend::http
