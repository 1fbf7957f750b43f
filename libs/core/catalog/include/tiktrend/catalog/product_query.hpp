#pragma once
#include <tiktrend/catalog/product.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::catalog {

enum class product_sort {
    last_updated,
    price,
    sales_7d,
    sales_total,
    trend_score,
    rating,
    review_count,
    first_seen
};
std::string_view to_string(product_sort s) noexcept;
std::optional<product_sort> parse_product_sort(std::string_view text) noexcept;

/// Where a page of a sorted list ended: the sort value of its last item (empty: NULL, which sorts last both
/// ways) and its id. Valid only for the same sort, direction and filters; whoever hands it out to clients
/// signs it.
struct keyset {
    std::optional<std::string> value; ///< microseconds since 1970 for times, decimal text otherwise
    std::int64_t id = 0;
};

/// A filtered, sorted page of products. Empty members do not filter.
struct product_query {
    std::optional<std::string> source;
    std::optional<std::int64_t> category_id;
    std::optional<std::string> category;  ///< by name, exact
    std::optional<std::string> price_min; ///< decimal text: products that can be had for this or more …
    std::optional<std::string> price_max; ///< … and for this or less (both compare products.price_min)
    std::optional<std::string> currency;
    /// Words of title and description, as a person types them into a search box: all of them, "in this
    /// order", OR, -without.
    std::optional<std::string> text;
    std::optional<bool> is_trending;
    std::optional<bool> is_active;
    std::optional<product_kind> kind;
    product_sort sort = product_sort::last_updated;
    bool descending = true;
    std::optional<keyset>
        after;      ///< from product_list::next. A value that does not fit the sort gives an empty page
    int limit = 20; ///< 1 to 500
};

/// True if `k` can come from a list sorted by `s`.
bool fits(const keyset& k, product_sort s) noexcept;

} // namespace tiktrend::catalog
