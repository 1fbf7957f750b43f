#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// The currency that a price text names by sign, word or code: "24,99 €", "kr 99", "US$5", "PLN 12". A sign
/// that several countries share ($, kr, ¥, £, Rs, R) means that of `country` (two capital letters, may be
/// empty) where it has one of them; without one, $ is USD, £ GBP, ¥ JPY, Rs INR, and kr nothing.
std::optional<std::string> currency_in(std::string_view text, std::string_view country);

/// The currency of everyday prices in a country; nothing for codes that are not listed.
std::optional<std::string_view> currency_of_country(std::string_view country) noexcept;

} // namespace tiktrend::sources
