#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::catalog {

/// One row of the view trending_products_summary: what trends in a category, in one currency.
struct trending_entry {
    std::optional<std::int64_t> category_id; ///< empty: products without a category
    std::optional<std::string> category, currency;
    std::int64_t products = 0;
    std::optional<std::string> average_price; ///< decimal
    std::optional<std::int64_t> sales_7d;     ///< sum
    std::optional<double> top_trend_score;
    std::int64_t refreshed_at_ms = 0;
};

/// The summary of trending products, as of its last refresh. The router must outlive it. Throws
/// postgres::errc for unavailability.
class trending_store {
public:
    explicit trending_store(postgres::router& router) : router_{router} {}

    /// Most sold first; all of it (categories times currencies).
    task<seen<std::vector<trending_entry>>> list();
    /// Brings the view up to date while readers go on. False: somebody else does it just now. Takes as long
    /// as a scan of the trending products.
    task<bool> refresh();

private:
    postgres::router& router_;
};

/// Appends the entry as the API shows it.
void append_json(std::string& out, const trending_entry& e);

} // namespace tiktrend::catalog
