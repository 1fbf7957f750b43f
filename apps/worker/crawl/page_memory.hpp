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
    std::string digest;     ///< of the body, as digest_of() writes it: for shops that answer 200 all the same
    std::int64_t found = 0; ///< products on the page, for the totals of an unchanged page
    bool had_next = false;
};

/// What is remembered in `cached`, or nothing when it would be of no use: the page was read by another
/// version of the definition or with other inputs, so that an unchanged page would still give other products.
std::optional<page_validators> validators_of(const catalog::cached_page& cached,
                                             const sources::definition& source,
                                             const sources::input_values& inputs);

/// What to remember of a whole page, before it is read (reading may change the body in place).
catalog::cached_page remember(const std::string& url, const fetch::response& response,
                              const sources::definition& source, const sources::input_values& inputs,
                              std::int64_t now_ms);
/// Whether `memory`, just remembered, is of the very body that `before` is of.
bool is_same_body(const catalog::cached_page& memory, const page_validators& before) noexcept;
/// Completes it with what reading the page gave.
void complete(catalog::cached_page& memory, std::int64_t found, bool has_next);

} // namespace tiktrend::worker
