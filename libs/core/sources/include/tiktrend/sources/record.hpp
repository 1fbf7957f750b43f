#pragma once
// What a page gives: records of typed fields. Prices never pass through a double.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tiktrend::sources {

/// An exact decimal as canonical text: optional minus, digits, optional point and digits ("24.50", "-11.11").
/// Money is padded to the minor unit of its currency (two digits where the currency is unknown), so that one
/// price has one text.
struct decimal {
    std::string text;
    friend bool operator==(const decimal&, const decimal&) = default;
};

/// Milliseconds since the Unix epoch.
struct timestamp {
    std::int64_t ms = 0;
    friend bool operator==(const timestamp&, const timestamp&) = default;
};

/// Any JSON value as compact text.
struct json_value {
    std::string text;
    friend bool operator==(const json_value&, const json_value&) = default;
};

/// Text is valid UTF-8 without U+0000, other controls (but line feeds and tabs) or bidirectional overrides.
using field_value =
    std::variant<std::string, bool, std::int64_t, decimal, timestamp, std::vector<std::string>, json_value>;

/// The names that every source shares and the product table knows; a definition may give each only its own
/// type.
///
///     title, description, category, vendor, sku, gtin, brand      text
///     url, image                                                   text (absolute http or https URL)
///     tags, categories                                             list of text
///     price, price_min, price_max, was_price                       decimal, not negative
///     currency                                                     text (ISO 4217 code)
///     rating                                                       decimal
///     in_stock                                                     bool
///     sales_7d, sales_total, review_count, popularity, stock       integer
///
/// A definition that reads `price` alone from a range also gets `price_max`. All other fields go into
/// record::extra.
std::span<const std::string_view> canonical_fields() noexcept;

struct field {
    std::string_view name; ///< one of canonical_fields(); lives for ever
    field_value value;
};

struct record {
    std::string key;           ///< identity within the source: the external id; never empty
    std::vector<field> fields; ///< canonical fields that have a value, each name once
    std::string extra = "{}";  ///< JSON object text of the other fields that have a value

    const field_value* find(std::string_view name) const noexcept;

    // Typed look-ups: nothing if the field has no value. Views live as long as the record.
    std::optional<std::string_view> text(std::string_view name) const noexcept; ///< text fields and decimals
    std::optional<std::int64_t> integer(std::string_view name) const noexcept;
    std::optional<bool> boolean(std::string_view name) const noexcept;
    std::span<const std::string> list(std::string_view name) const noexcept; ///< empty if absent
    /// Lowest and highest price as decimal text: price_min else price, price_max else price_min.
    std::optional<std::string_view> lowest_price() const noexcept;
    std::optional<std::string_view> highest_price() const noexcept;
};

/// The whole record as one JSON object: key, canonical fields, then those of `extra`. For logs, tests and
/// `try`.
std::string to_json(const record& r);

} // namespace tiktrend::sources
