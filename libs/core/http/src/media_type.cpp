#include <tiktrend/base/text.hpp>
#include <tiktrend/http/media_type.hpp>
#include <tiktrend/http/problem.hpp>

namespace tiktrend::http {
namespace {

bool ends_with_ignoring_case(std::string_view text, std::string_view end) noexcept {
    return text.size() > end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

} // namespace

bool is_json_type(std::string_view content_type) noexcept {
    const auto semicolon = content_type.find(';');
    const auto name = trim(content_type.substr(0, semicolon));
    if (!equal_ignoring_case(name, "application/json") && !ends_with_ignoring_case(name, "+json"))
        return false;
    auto rest = semicolon == std::string_view::npos ? std::string_view{} : content_type.substr(semicolon + 1);
    while (!rest.empty()) {
        const auto end = rest.find(';');
        const auto parameter = trim(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos || !equal_ignoring_case(parameter.substr(0, equals), "charset"))
            continue;
        auto charset = parameter.substr(equals + 1);
        if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
            charset = charset.substr(1, charset.size() - 2);
        if (!equal_ignoring_case(charset, "utf-8")) return false;
    }
    return true;
}

void require_json(const request& r) {
    if (r.headers.has("Content-Encoding") &&
        !equal_ignoring_case(r.headers.get("Content-Encoding"), "identity"))
        throw problem{415, "unsupported_content_encoding", "Send the body without a Content-Encoding."};
    if (is_json_type(r.headers.get("Content-Type"))) return;
    problem p{415, "unsupported_media_type", "Send the body as application/json."};
    p.with_header("Accept", "application/json");
    throw p;
}

} // namespace tiktrend::http
