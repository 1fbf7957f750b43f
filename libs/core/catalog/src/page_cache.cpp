#include "page_cache_row.hpp"

namespace tiktrend::catalog {
namespace {

std::optional<std::string> owned(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>{*text} : std::nullopt;
}

} // namespace

std::optional<cached_page> detail::cached_page_of(const postgres::rows& found) {
    if (found.empty()) return std::nullopt;
    const auto r = found.front();
    cached_page out;
    out.url = r[0].text();
    out.etag = owned(r[1].optional_text());
    out.last_modified = owned(r[2].optional_text());
    out.digest = r[3].text();
    out.found = r[4].int64();
    out.fetched_at_ms = r[5].int64();
    return out;
}

task<std::optional<cached_page>> page_cache::find(const std::string& url) {
    const auto values = postgres::params::of(url);
    const auto found = co_await router_.write().query(detail::find_page, values);
    co_return detail::cached_page_of(found);
}

} // namespace tiktrend::catalog
