#include "catalogue.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace tiktrend::demo_shop {
namespace {

struct noun {
    std::string_view name;
    std::string_view category;
    int least_cents;
};

constexpr std::array adjectives{"Quiet",    "Folding",   "Pocket",   "Bright",   "Slow",
                                "Magnetic", "Stackable", "Warm",     "Modular",  "Travel",
                                "Tiny",     "Sturdy",    "Floating", "Woven",    "Silent",
                                "Sunny",    "Clever",    "Reusable", "Cordless", "Soft"};
constexpr std::array materials{"Bamboo", "Cork", "Linen", "Steel",    "Glass", "Wool",
                               "Oak",    "Clay", "Felt",  "Silicone", "Brass", "Cotton"};
constexpr std::array nouns{
    noun{"Desk Lamp", "Home", 1890},           noun{"Wall Clock", "Home", 2450},
    noun{"Tea Kettle", "Kitchen", 2990},       noun{"Spice Rack", "Kitchen", 1690},
    noun{"Lunch Box", "Kitchen", 1290},        noun{"Face Brush", "Beauty", 990},
    noun{"Mirror Light", "Beauty", 2190},      noun{"Yoga Block", "Fitness", 890},
    noun{"Jump Rope", "Fitness", 790},         noun{"Foam Roller", "Fitness", 1890},
    noun{"Cat Tunnel", "Pets", 1590},          noun{"Dog Bowl", "Pets", 1190},
    noun{"Cable Tray", "Office", 1490},        noun{"Laptop Stand", "Office", 3490},
    noun{"Plant Mister", "Garden", 1090},      noun{"Seed Tray", "Garden", 690},
    noun{"Puzzle Cube", "Toys", 1290},         noun{"Marble Track", "Toys", 2790},
    noun{"Phone Tripod", "Electronics", 1990}, noun{"Ring Light", "Electronics", 3990},
};
constexpr std::array vendors{"Harbour & Pine", "Nook Works", "Lumen Street", "Field Day Goods",
                             "Kestrel Home"};
constexpr std::array closings{"Packed without plastic.", "Made to be repaired.", "Ships flat.",
                              "Two years of guarantee.", "A gift that gets used."};

enum purpose : std::uint64_t { naming = 1, pricing, selling, stocking, moving, amount };

/// splitmix64: each input gives an unrelated output, so any product of any day can be told without its past.
std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

} // namespace

std::string money(int cents) {
    return fmt::format("{}.{:02}", cents / 100, cents % 100);
}

catalogue::catalogue(std::size_t count, std::uint64_t seed) : seed_{seed} {
    products_.reserve(count);
    for (std::size_t n = 1; n <= count; ++n)
        products_.push_back(make(n));
}

std::uint64_t catalogue::chance(std::size_t number, std::uint64_t day, std::uint64_t purpose) const noexcept {
    return mix(mix(mix(seed_ ^ purpose) ^ number) ^ day);
}

product catalogue::make(std::size_t number) const {
    auto pick = chance(number, 0, naming);
    const auto take = [&pick](std::size_t n) {
        const auto i = static_cast<std::size_t>(pick % n);
        pick /= n;
        return i;
    };
    product p;
    p.number = number;
    p.sku = fmt::format("DS-{:04}", number);
    p.handle = fmt::format("ds-{:04}", number);
    const auto& n = nouns[take(nouns.size())];
    const std::string_view adjective = adjectives[take(adjectives.size())],
                           material = materials[take(materials.size())];
    p.name = fmt::format("{} {} {}", adjective, material, n.name);
    p.category = n.category;
    p.vendor = vendors[take(vendors.size())];
    p.description =
        fmt::format("A {} for every day, of {}. {}", n.name, material, closings[take(closings.size())]);
    p.rating = 3.0 + static_cast<double>(take(21)) / 10;
    if (number % 5 == 0)
        p.variants = {{"S", 0}, {"M", 200}, {"L", 400}};
    else
        p.variants = {{"Default Title", 0}};
    p.base_cents = n.least_cents + static_cast<int>(chance(number, 0, pricing) % 40) * 50;
    p.price_cents = p.base_cents;
    for (std::int64_t d = -6; d <= 0; ++d)
        p.sold_7d += sales_on(p, d);
    p.sold_total = p.sold_7d + static_cast<int>(chance(number, 0, selling) % 5000);
    p.reviews = p.sold_total / 9;
    p.in_stock = chance(number, 0, stocking) % 12 != 0;
    return p;
}

/// Sales of one day; days before the shop opened count as day 0 minus n.
int catalogue::sales_on(const product& p, std::int64_t day) const noexcept {
    const auto popularity = 1 + chance(p.number, 0, amount) % 60;
    return static_cast<int>(chance(p.number, static_cast<std::uint64_t>(day + 1000), selling) % popularity);
}

void catalogue::live_day(product& p) const {
    if (chance(p.number, day_, moving) % 4 ==
        0) { // a quarter of the prices moves, within a quarter of the base price
        const int percent = static_cast<int>(chance(p.number, day_, amount) % 51) - 25;
        const int moved = (p.base_cents * (100 + percent) / 100 + 5) / 10 * 10;
        if (moved != p.price_cents) p.changed_on_day = day_;
        p.price_cents = moved;
        p.was_cents.reset();
        if (moved < p.base_cents) p.was_cents = p.base_cents;
    }
    const bool stocked = chance(p.number, day_, stocking) % 12 != 0;
    if (stocked != p.in_stock) p.changed_on_day = day_;
    p.in_stock = stocked;
    const auto today = static_cast<std::int64_t>(day_);
    p.sold_total += sales_on(p, today);
    p.sold_7d += sales_on(p, today) - sales_on(p, today - 7);
    p.reviews = p.sold_total / 9;
}

void catalogue::next_day() {
    ++day_;
    for (auto& p : products_)
        live_day(p);
}

void catalogue::back_to_day_zero() {
    day_ = 0;
    for (auto& p : products_)
        p = make(p.number);
}

std::size_t catalogue::reprice_every(std::size_t n) {
    std::size_t moved = 0;
    for (auto& p : products_) {
        if (p.number % n != 0) continue;
        p.price_cents += 10;
        p.changed_on_day = day_;
        ++moved;
    }
    return moved;
}

const product* catalogue::by_sku(std::string_view sku) const noexcept {
    for (const auto& p : products_)
        if (p.sku == sku) return &p;
    return nullptr;
}

const product* catalogue::by_handle(std::string_view handle) const noexcept {
    for (const auto& p : products_)
        if (p.handle == handle) return &p;
    return nullptr;
}

} // namespace tiktrend::demo_shop
