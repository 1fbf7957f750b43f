#include <tiktrend/catalog/digest.hpp>
#include <tiktrend/catalog/product.hpp>

#include <bit>
#include <cstring>

namespace tiktrend::catalog {
namespace {

// MurmurHash64A (Austin Appleby, public domain), byte for byte the same on every machine of ours
// (little-endian). It is chained over the fields: the hash so far seeds the next one, so lengths and order
// count.
constexpr std::uint64_t multiplier = 0xC6A4A7935BD1E995ULL;
constexpr int shift = 47;

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
    word *= multiplier;
    word ^= word >> shift;
    word *= multiplier;
    return (hash ^ word) * multiplier;
}

std::uint64_t finish(std::uint64_t hash) noexcept {
    hash ^= hash >> shift;
    hash *= multiplier;
    return hash ^ (hash >> shift);
}

/// Feeds field after field. The markers tell an absent value from an empty one.
class hasher {
public:
    void add(std::string_view text) noexcept { state_ = text_digest(text, state_ ^ present); }
    void add(std::int64_t value) noexcept { word(static_cast<std::uint64_t>(value)); }
    void add(double value) noexcept { word(std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value)); }
    template <class T>
    void add(const std::optional<T>& value) noexcept {
        if (value)
            add(*value);
        else
            state_ = finish(mix(state_, absent));
    }
    std::uint64_t value() const noexcept { return state_; }

private:
    static constexpr std::uint64_t present = 0x9E3779B97F4A7C15ULL;
    static constexpr std::uint64_t absent = 0xD1B54A32D192ED03ULL;
    void word(std::uint64_t w) noexcept { state_ = finish(mix(state_ ^ present, w)); }
    std::uint64_t state_ = 1; ///< version of the field list below
};

} // namespace

std::uint64_t text_digest(std::string_view text, std::uint64_t seed) noexcept {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t hash = seed ^ (text.size() * multiplier);
    while (text.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), 8);
        hash = mix(hash, word);
        text.remove_prefix(8);
    }
    if (!text.empty()) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), text.size());
        hash = (hash ^ word) * multiplier;
    }
    return finish(hash);
}

std::string_view to_string(product_kind kind) noexcept {
    return kind == product_kind::trend ? "trend" : "product";
}

std::optional<product_kind> parse_product_kind(std::string_view text) noexcept {
    if (text == "product") return product_kind::product;
    if (text == "trend") return product_kind::trend;
    return std::nullopt;
}

std::int64_t content_hash(const scraped_product& p) noexcept {
    hasher h;
    h.add(to_string(p.kind));
    h.add(p.title);
    h.add(p.description);
    h.add(p.url);
    h.add(p.image_url);
    h.add(p.category);
    h.add(p.price_min);
    h.add(p.price_max);
    h.add(p.currency);
    h.add(p.sales_7d);
    h.add(p.sales_total);
    h.add(p.rating);
    h.add(p.review_count);
    h.add(p.trend_score);
    h.add(std::int64_t{p.is_trending} | std::int64_t{p.is_active} << 1);
    h.add(p.attributes);
    return static_cast<std::int64_t>(h.value());
}

bool is_price(std::string_view text) noexcept {
    std::size_t whole = 0, part = 0;
    bool has_point = false;
    for (const char c : text) {
        if (c == '.' && !has_point)
            has_point = true;
        else if (c < '0' || c > '9')
            return false;
        else
            ++(has_point ? part : whole);
    }
    return whole >= 1 && whole <= 10 && part <= 4 && has_point == (part > 0);
}

} // namespace tiktrend::catalog
