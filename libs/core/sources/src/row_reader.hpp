#pragma once
// From one row to one record: every field by its rule, with the reason where there is no value.
#include "plan.hpp"
#include "values/reject.hpp"
#include "values/web_address.hpp"

#include <tiktrend/sources/page.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tiktrend::sources {

/// The value of a field while its record is made: prices and decimals are still numbers.
struct typed_value {
    using variant = std::variant<std::monostate, std::string, bool, std::int64_t, decimal_number, timestamp,
                                 std::vector<std::string>, json_value>;
    variant value;
    std::optional<decimal_number> high; ///< the other end of a price range
    int minor_unit = -1;                ///< money: digits of its currency, -1 when unknown; other decimals: 0

    bool exists() const noexcept { return value.index() != 0; }
};

/// The value in its public form, decimals as text. Moves out of `v`, which must hold something.
field_value to_field_value(typed_value& v);

/// Everything that is the same for all rows of a page.
struct page_scope {
    const plan& rules;
    const input_values& inputs;
    const page_state& state;
    std::string_view response_url;
    const page_address& address;
    std::vector<json_node> documents; ///< roots
};

class row_reader {
public:
    row_reader(const page_scope& scope, page_statistics& statistics);

    /// The record of `row`, or nothing if a required field or the key is missing.
    std::optional<record> read(json_node row, std::int64_t index);

private:
    /// What a source gave: a JSON scalar, or text.
    struct found {
        json_node node; ///< nothing for text
        std::string_view text;
        bool is_number = false; ///< text is a JSON number token
    };
    /// One field of one row.
    struct reading {
        typed_value value;
        std::size_t won = 0;
        bool was_rejected = false;
        std::string_view reason; ///< of the first rejection
        std::string shown;       ///< the value that was rejected
    };

    reading evaluate(const field_rule& rule, json_node row);
    void evaluate_single(const field_rule& rule, json_node row, reading& out);
    void evaluate_list(const field_rule& rule, json_node row, reading& out);
    void evaluate_object(const field_rule& rule, json_node row, reading& out);
    void evaluate_rows(const field_rule& rule, json_node row, reading& out);
    /// Calls visit(found) for every value that the source gives, until it returns false.
    template <class Visit>
    void each_found(const value_source& source, json_node row, Visit&& visit);

    converted<typed_value> convert(const field_rule& rule, const found& raw);
    converted<typed_value> convert_money(const field_rule& rule, std::string_view text, bool is_number);
    converted<std::string> clean(const field_rule& rule, std::string_view text, std::size_t max_characters);
    void take(const field_rule& rule, typed_value value, reading& out);
    void finish(const field_rule& rule, reading& out);

    decimal_rule decimals_of(const field_rule& rule) const;
    int minor_unit_for(const field_rule& rule) const;

    void drop_prices_of_sold_out();
    bool note(std::size_t field, const reading& read, std::int64_t row);
    void add_problem(std::int64_t row, std::string_view field, std::string message);
    std::string key_of() const;
    record build(std::string key);

    const page_scope& scope_;
    page_statistics& statistics_;
    std::vector<typed_value> values_; ///< by field index, of the row being read
    std::string scratch_;
    std::string text_;
};

} // namespace tiktrend::sources
