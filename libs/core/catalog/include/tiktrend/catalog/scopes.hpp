#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::catalog {

/// What a principal may do (design section 7). Names are stored and appear in tokens: do not change.
enum class scope : std::uint8_t { read = 1, scrape = 2, copy = 4, admin = 8, metrics = 16 };

class scope_set {
public:
    constexpr scope_set() = default;
    constexpr scope_set(std::initializer_list<scope> scopes) {
        for (const auto s : scopes)
            bits_ |= static_cast<std::uint8_t>(s);
    }
    /// Admin holds every scope.
    constexpr bool allows(scope s) const noexcept {
        return bits_ & (static_cast<std::uint8_t>(s) | static_cast<std::uint8_t>(scope::admin));
    }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr void add(scope s) noexcept { bits_ |= static_cast<std::uint8_t>(s); }
    std::vector<std::string> names() const;
    friend constexpr bool operator==(scope_set, scope_set) = default;

private:
    std::uint8_t bits_ = 0;
};

std::string_view to_string(scope s) noexcept;
std::optional<scope> parse_scope(std::string_view name) noexcept;

} // namespace tiktrend::catalog
