#pragma once
#include <tiktrend/catalog/page_cache.hpp>
#include <tiktrend/postgres/rows.hpp>

#include <string_view>

namespace tiktrend::catalog::detail {

/// $1: the URL.
inline constexpr std::string_view find_page =
    "SELECT url, etag, last_modified, digest, found, (extract(epoch FROM fetched_at) * 1000)::bigint "
    "FROM page_cache WHERE url_md5 = md5($1::text)::uuid AND url = $1::text";

/// The page that it found, if any.
std::optional<cached_page> cached_page_of(const postgres::rows& found);

} // namespace tiktrend::catalog::detail
