#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::worker {

/// What one robots.txt says to one crawler (RFC 9309). Immutable; parsing and matching take linear and
/// bounded time whatever the file holds.
class robots_rules {
public:
    static constexpr std::size_t max_bytes = 500U << 10;   ///< read so far, then stop (RFC 9309 section 2.5)
    static constexpr std::size_t max_pattern_bytes = 2048; ///< a longer path pattern is not a rule
    static constexpr std::size_t max_rules = 10'000;
    static constexpr std::size_t max_sitemaps = 1'000;

    /// Reads a file for the crawler named `product` ("TikTrendBot", section 2.2.1; case does not matter). All
    /// groups that name it count as one; without any, those of "*" do; without those everything is allowed.
    /// Lines that are not understood are skipped. No more than readable(text) is read.
    static robots_rules parse(std::string_view text, std::string_view product);
    /// The part of a file that counts: at most max_bytes, without a last line that they cut.
    static std::string_view readable(std::string_view text) noexcept;
    static robots_rules allow_all() { return {}; }
    static robots_rules disallow_all();

    /// Whether `target` (path and query as they are asked for, beginning with "/") may be fetched: the
    /// longest matching pattern decides, allow wins a tie (section 2.2.2). /robots.txt always may.
    bool allows(std::string_view target) const;

    /// Crawl-delay of the group that counts (not part of the RFC, widely used); seconds, fractions kept.
    std::optional<std::chrono::milliseconds> crawl_delay() const noexcept { return crawl_delay_; }
    /// Sitemap lines of the whole file, as written.
    const std::vector<std::string>& sitemaps() const noexcept { return sitemaps_; }
    std::size_t size() const noexcept { return rules_.size(); }
    std::size_t bytes() const noexcept; ///< of memory, about

private:
    struct rule {
        std::string pattern; ///< normalised as normal_form() does
        bool allow = false;
    };
    std::vector<rule> rules_; ///< longest pattern first, allow before disallow
    std::optional<std::chrono::milliseconds> crawl_delay_;
    std::vector<std::string> sitemaps_;
    friend class robots_reader;
};

/// The product token at the start of a User-Agent text: "TikTrendBot" of "TikTrendBot/0.1 (+https://…)".
std::string_view product_token(std::string_view user_agent) noexcept;

} // namespace tiktrend::worker
