#include <tiktrend/catalog/page_cache.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view find_page =
    "SELECT url, etag, last_modified, digest, found, (extract(epoch FROM fetched_at) * 1000)::bigint "
    "FROM page_cache WHERE url_md5 = md5($1)::uuid AND url = $1";

std::optional<std::string> owned(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>{*text} : std::nullopt;
}

} // namespace

task<std::optional<cached_page>> page_cache::find(const std::string& url) {
    const auto values = postgres::params::of(url);
    const auto found = co_await router_.write().query(find_page, values);
    if (found.empty()) co_return std::nullopt;
    const auto r = found.front();
    cached_page out;
    out.url = r[0].text();
    out.etag = owned(r[1].optional_text());
    out.last_modified = owned(r[2].optional_text());
    out.digest = r[3].text();
    out.found = r[4].int64();
    out.fetched_at_ms = r[5].int64();
    co_return out;
}

} // namespace tiktrend::catalog
