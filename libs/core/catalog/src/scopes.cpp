#include <tiktrend/catalog/scopes.hpp>

#include <array>

namespace tiktrend::catalog {
namespace {

constexpr std::array<std::pair<scope, std::string_view>, 5> table{{{scope::read, "read"},
                                                                   {scope::scrape, "scrape"},
                                                                   {scope::copy, "copy"},
                                                                   {scope::admin, "admin"},
                                                                   {scope::metrics, "metrics"}}};

} // namespace

std::string_view to_string(scope s) noexcept {
    for (const auto& [value, name] : table)
        if (value == s) return name;
    return {};
}

std::optional<scope> parse_scope(std::string_view name) noexcept {
    for (const auto& [value, text] : table)
        if (text == name) return value;
    return std::nullopt;
}

std::vector<std::string> scope_set::names() const {
    std::vector<std::string> out;
    for (const auto& [value, name] : table)
        if (bits_ & static_cast<std::uint8_t>(value)) out.emplace_back(name);
    return out;
}

} // namespace tiktrend::catalog
