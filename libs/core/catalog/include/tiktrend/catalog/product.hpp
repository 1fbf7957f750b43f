#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::catalog {

enum class product_kind { product, trend };
std::string_view to_string(product_kind kind) noexcept; ///< "product", "trend": stored, do not change
std::optional<product_kind> parse_product_kind(std::string_view text) noexcept;

/// What a source's page says about one product. The store repairs text that is not UTF-8.
struct scraped_product {
    std::string source;      ///< definition id, e.g. "shopify.storefront"
    std::string external_id; ///< unique within the source
    product_kind kind = product_kind::product;
    std::string title;
    std::optional<std::string> description;
    std::optional<std::string> url;
    std::optional<std::string> image_url;
    std::optional<std::string> category;  ///< label as the shop writes it; blanks are collapsed by the store
    std::optional<std::string> price_min; ///< decimal text, e.g. "19.90"; exact
    std::optional<std::string> price_max;
    std::optional<std::string> currency; ///< ISO 4217, upper case
    std::optional<std::int64_t> sales_7d;
    std::optional<std::int64_t> sales_total;
    std::optional<double> rating;
    std::optional<std::int64_t> review_count;
    std::optional<double> trend_score;
    bool is_trending = false; ///< the source lists it as trending; a `trend` always is
    bool is_active = true;
    std::string attributes = "{}"; ///< JSON object with whatever else the definition extracts
    std::int64_t scraped_at_ms = 0;
};

/// A product as it is stored.
struct product {
    std::int64_t id = 0;
    std::string source;
    std::string external_id;
    product_kind kind = product_kind::product;
    std::string title;
    std::optional<std::string> description;
    std::optional<std::string> url;
    std::optional<std::string> image_url;
    std::optional<std::string> image_cdn_url; ///< our own copy of the image, if mirrored
    std::optional<std::int64_t> category_id;
    std::optional<std::string> category;
    std::optional<std::string> price_min; ///< decimal text
    std::optional<std::string> price_max;
    std::optional<std::string> currency;
    std::optional<std::int64_t> sales_7d;
    std::optional<std::int64_t> sales_total;
    std::optional<double> rating;
    std::optional<std::int64_t> review_count;
    std::optional<double> trend_score;
    bool is_trending = false;
    bool is_active = true;
    std::string attributes = "{}"; ///< JSON object
    std::int64_t first_seen_ms = 0;
    std::int64_t last_updated_ms = 0; ///< when its content last changed here
    std::int64_t scraped_at_ms =
        0; ///< of the newest scrape written; an unchanged product is touched once an hour
};

/// 64 bits over everything that makes a product "changed": all of scraped_product but source, external_id and
/// scraped_at_ms. Stored in products.content_hash: do not change (every product would count as changed once).
std::int64_t content_hash(const scraped_product& p) noexcept;

/// True for decimal text fit for the price columns: at most 10 digits before and 4 after the point, not
/// negative.
bool is_price(std::string_view text) noexcept;

} // namespace tiktrend::catalog
