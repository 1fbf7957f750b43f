#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::demo_shop {

struct variant {
    std::string title; ///< "Default Title" when there is only one
    int surcharge_cents = 0;
};

/// One invented product as it stands on the catalogue's current day.
struct product {
    std::size_t number = 0; ///< from 1
    std::string sku;        ///< "DS-0001"
    std::string handle;     ///< "ds-0001"
    std::string name;
    std::string description;
    std::string category;
    std::string vendor;
    std::vector<variant> variants;
    double rating = 0;

    int base_cents = 0;
    int price_cents = 0;          ///< of the first variant
    std::optional<int> was_cents; ///< set while the price is below the base price
    int sold_7d = 0;
    int sold_total = 0;
    int reviews = 0;
    bool in_stock = true;
    std::uint64_t changed_on_day = 0; ///< when price or stock moved last
};

/// A few hundred products made from a seed. The same number of products, seed and day always give the same
/// catalogue, so that tests can say what they expect; each day some prices and stocks move and everything
/// sells a little.
class catalogue {
public:
    catalogue(std::size_t count, std::uint64_t seed);

    const std::vector<product>& products() const noexcept { return products_; }
    const product* by_sku(std::string_view sku) const noexcept;
    const product* by_handle(std::string_view handle) const noexcept;

    std::uint64_t day() const noexcept { return day_; }
    void next_day();
    void back_to_day_zero();
    /// Moves the price of every `n`-th product by ten cents and leaves the others alone; a day moves them
    /// all. `n` is at least 1. How many moved.
    std::size_t reprice_every(std::size_t n);

private:
    std::uint64_t chance(std::size_t number, std::uint64_t day, std::uint64_t purpose) const noexcept;
    int sales_on(const product& p, std::int64_t day) const noexcept;
    product make(std::size_t number) const;
    void live_day(product& p) const;

    std::uint64_t seed_;
    std::uint64_t day_ = 0;
    std::vector<product> products_;
};

/// "19.90"
std::string money(int cents);

} // namespace tiktrend::demo_shop
