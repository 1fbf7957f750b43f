#pragma once
#include <tiktrend/catalog/product.hpp>
#include <tiktrend/catalog/product_store.hpp>

#include <string>

namespace tiktrend::catalog {

/// Appends the API's form of a product, members in this order:
///   id (integer), source, external_id, kind, title (text), description, url, image_url, image_cdn_url (text
///   or null), category_id (integer or null), category (text or null), price_min, price_max (decimal text or
///   null, exact), currency (text or null), sales_7d, sales_total (integer or null), rating (number or null),
///   review_count (integer or null), trend_score (number or null), is_trending, is_active (boolean),
///   attributes (object), first_seen, last_updated, scraped_at (RFC 3339 in UTC with milliseconds).
void append_json(std::string& out, const product& p);
/// {scraped_at, price_min, price_max, currency, sales_7d, sales_total, rating, review_count, trend_score}
void append_json(std::string& out, const history_point& p);
/// {id, name}
void append_json(std::string& out, const category_entry& c);

/// "2026-11-23T20:15:00.123Z" with quotes. For years 0 to 9999.
void append_json_time(std::string& out, std::int64_t unix_ms);

} // namespace tiktrend::catalog
