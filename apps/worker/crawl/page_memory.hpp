#pragma once
#include <tiktrend/catalog/page_cache.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/input.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tiktrend::worker {

/// What an earlier visit lets us ask: has this page changed since?
struct page_validators {
    std::string etag;          ///< for If-None-Match; may be empty
    std::string last_modified; ///< for If-Modified-Since; may be empty
    std::int64_t found = 0;    ///< products on the page, for the totals of a 304
    bool had_next = false;
};

/// The validators of `cached`, or nothing when the answer would be of no use: the page was read by another
/// version of the definition or with other inputs, so that an unchanged page would still give other products.
std::optional<page_validators> validators_of(const catalog::cached_page& cached,
                                             const sources::definition& source,
                                             const sources::input_values& inputs);

/// What to remember of a whole page, before it is read (reading may change the body in place). Nothing when
/// the shop sent no validator.
std::optional<catalog::cached_page> remember(const std::string& url, const fetch::response& response,
                                             const sources::definition& source,
                                             const sources::input_values& inputs, std::int64_t now_ms);
/// Completes it with what reading the page gave.
void complete(catalog::cached_page& memory, std::int64_t found, bool has_next);

/// 64-bit FNV-1a. Stored in page_cache.digest: do not change.
std::uint64_t fnv1a(std::string_view bytes) noexcept;

} // namespace tiktrend::worker
