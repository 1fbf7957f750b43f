#include <tiktrend/base/digest.hpp>
#include <tiktrend/http/conditional.hpp>

namespace tiktrend::http {
namespace {

std::string_view opaque(std::string_view etag) noexcept {
    if (etag.substr(0, 2) == "W/") etag.remove_prefix(2);
    return etag;
}

/// Fields that describe the body which a 304 does not have.
bool describes_body(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Content-Type") || equal_ignoring_case(name, "Content-Encoding") ||
           equal_ignoring_case(name, "Content-Language") || equal_ignoring_case(name, "Content-Range");
}

} // namespace

std::string weak_etag(std::string_view body) {
    // 128 bits: no two bodies of one URL meet by chance
    return "W/\"" + to_hex(bytes_of(sha256(body)).substr(0, 16)) + '"';
}

bool names_etag(std::string_view list, std::string_view etag) noexcept {
    const auto wanted = opaque(etag);
    if (wanted.size() < 2) return false;
    while (!list.empty()) {
        if (list.front() == ' ' || list.front() == '\t' || list.front() == ',') {
            list.remove_prefix(1);
            continue;
        }
        if (list.front() == '*') return true;
        list = opaque(list);
        // An entity-tag may hold commas, so it ends at its quote.
        const auto end = list.size() > 1 && list.front() == '"' ? list.find('"', 1) : std::string_view::npos;
        if (end == std::string_view::npos) return false; // malformed: as if the rest were not there
        if (list.substr(0, end + 1) == wanted) return true;
        list.remove_prefix(end + 1);
    }
    return false;
}

bool is_unmodified(const request& r, std::string_view etag) noexcept {
    for (const auto f : r.headers)
        if (equal_ignoring_case(f.name, "If-None-Match") && names_etag(f.value, etag)) return true;
    return false;
}

response not_modified(const response& full) {
    auto r = response::empty(304);
    for (const auto f : full.headers)
        if (!describes_body(f.name)) r.headers.add(f.name, f.value);
    return r;
}

} // namespace tiktrend::http
