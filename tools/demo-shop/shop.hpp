#pragma once
#include "catalogue.hpp"
#include "fault.hpp"

#include <tiktrend/http/router.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tiktrend::demo_shop {

/// The shop: its catalogue, its faults and what it saw. Belongs to the thread of its server and must outlive
/// it.
///
///   GET  /api/products?page=1&per_page=20   the shop's own list; /api/products/{sku}: one product
///   GET  /products.json?page=1&limit=30     the storefront list; /products/{handle}.json: one product
///   GET  /  /p/{handle}  /images/{handle}.svg  /cart.js  /robots.txt
///   POST /_control                          one fault rule or {"rules": […]} (fault.hpp); DELETE forgets
///   them POST /_control/tick                     the next day: prices, stocks and sales of all products move
///   POST /_control/reprice?every=20         the price of every 20th product moves, nothing else does
///   POST /_control/robots                   the text of another /robots.txt
///   POST /_control/reset                    as just started
///   GET  /_control/stats                    what was asked for, how often, how much at once
///
/// Lists and products have an ETag and answer If-None-Match. Any request may ask for a fault by itself:
/// ?misbehave=…
class shop {
public:
    shop(std::size_t products, std::uint64_t seed);

    http::router routes();

private:
    struct visit; ///< counts one request while it lasts

    task<http::response> watch(http::request& r, const http::handler& next);
    http::response control(http::request& r);
    void note_start();
    http::response stats() const;
    http::response rules() const;

    catalogue catalogue_;
    std::string robots_; ///< the text of /robots.txt
    fault_plan plan_;
    std::map<std::string, std::uint64_t, std::less<>> requests_; ///< by path
    std::map<std::string, std::uint64_t, std::less<>> faults_;   ///< by kind
    std::uint64_t not_modified_ = 0;
    std::uint64_t now_ = 0, most_ = 0; ///< requests being answered
    std::chrono::steady_clock::time_point last_start_{};
    std::optional<std::chrono::milliseconds> closest_; ///< two starts of requests since the last reset
};

} // namespace tiktrend::demo_shop
