#pragma once
// From one row to one record: every field by its rule, with the reason where there is no value.
#include "documents/document_set.hpp"
#include "plan.hpp"
#include "values/reject.hpp"
#include "values/web_address.hpp"

#include <tiktrend/sources/page.hpp>

#include <map>
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
    decimal_number high; ///< money: the other end of a price range, or the same
    int minor_unit = -1; ///< money: digits of its currency, -1 when unknown; other decimals: 0

    bool exists() const noexcept { return value.index() != 0; }
    void reset() noexcept {
        if (exists()) value.emplace<std::monostate>();
    }
};

/// The value in its public form, decimals as text. Moves out of `v`, which must hold something.
field_value to_field_value(typed_value& v);

/// One row of a page: a JSON value or an element.
struct row_ref {
    row_ref() = default;
    explicit row_ref(json_node n) : json{n} {}
    explicit row_ref(html_node n) : element{n} {}
    json_node json;
    html_node element;
};

/// Everything that is the same for all rows of a page.
struct page_scope {
    const plan& rules;
    const input_values& inputs;
    const page_state& state;
    std::string_view response_url;
    const page_address& address;
    document_set& documents;
    std::vector<row_ref> merged; ///< rows to look into one after the other instead of the row alone
};

class row_reader {
public:
    row_reader(const page_scope& scope, page_statistics& statistics);

    /// The record of `row`, or nothing if a required field or the key is missing.
    std::optional<record> read(row_ref row, std::int64_t index);

private:
    /// What a source gave: a JSON scalar, or text.
    struct found {
        json_node node; ///< nothing for text
        std::string_view text;
        bool is_number = false; ///< text is a JSON number token
    };
    /// How it went with one field of one row.
    struct reading {
        std::size_t won = 0;
        bool was_rejected = false;
        std::string_view reason; ///< of the first rejection
        std::string shown;       ///< the value that was rejected
    };
    /// How it went with one value.
    struct conversion {
        enum class kind : std::uint8_t { taken, nothing, refused };
        conversion::kind state = kind::taken;
        std::string_view reason;
    };

    /// A field as most are: one value at one key of the row, and no bounds, default or the like after it.
    struct plain_field {
        const path_step* key = nullptr; ///< null: the field is not that simple
        std::size_t hint = 0;
    };
    static plain_field plain_field_of(const field_rule& rule);
    /// Reads and counts a plain field of a JSON row. False if evaluate() has to say what is the matter with
    /// it.
    bool read_plain(std::size_t field, json_node row);

    // Each leaves the value in `out`, or nothing.
    reading evaluate(const field_rule& rule, row_ref row, typed_value& out);
    void evaluate_single(const field_rule& rule, row_ref row, typed_value& out, reading& how);
    void evaluate_list(const field_rule& rule, row_ref row, typed_value& out, reading& how);
    void evaluate_object(const field_rule& rule, row_ref row, typed_value& out);
    void evaluate_rows(const field_rule& rule, row_ref row, typed_value& out, reading& how);
    /// Calls visit(found) for every value that the source gives, until it returns false.
    template <class Visit>
    void each_found(const value_source& source, row_ref row, Visit&& visit);
    template <class Visit>
    void each_at_path(const value_source& source, const path& way, row_ref row, Visit&& visit);
    template <class Visit>
    void each_selected(const value_source& source, const selector_source& what, row_ref row, Visit&& visit);
    std::optional<std::string> symbol_of(std::size_t field, row_ref row);
    /// The selector, compiled now if an input holds it; null if there is none that can be.
    const selector* selector_of(const selector_source& what);

    conversion convert(const field_rule& rule, const found& raw, typed_value& out);
    conversion convert_whole(const field_rule& rule, const found& raw, typed_value& out);
    conversion convert_text(const field_rule& rule, const found& raw, typed_value& out);
    conversion convert_money(const field_rule& rule, std::string_view text, bool is_number, typed_value& out);
    /// `text` through the field's cleaners, fit to be stored. The reason if a cleaner refuses it.
    std::optional<reject> clean(const field_rule& rule, std::string_view text, std::size_t max_characters,
                                std::string& out);
    void join(const field_rule& rule, typed_value& value, typed_value& sofar, reading& how);
    void finish(const field_rule& rule, typed_value& out, reading& how);

    decimal_rule decimals_of(const field_rule& rule) const;
    std::optional<int> scale_of(const field_rule& rule);
    int minor_unit_for(const field_rule& rule) const;

    void drop_prices_of_sold_out();
    bool note(std::size_t field, const reading& how, std::int64_t row);
    void add_problem(std::int64_t row, std::string_view field, std::string message);
    std::string key_of() const;
    bool adds_price_max(const field_rule& rule, const typed_value& value) const;
    record build(std::string key);

    const page_scope& scope_;
    page_statistics& statistics_;
    std::optional<std::size_t> stock_field_; ///< the one that is `in_stock`
    bool reads_price_max_ = false;
    std::vector<plain_field> plain_;   ///< by field index
    std::vector<typed_value> values_;  ///< by field index, of the row being read
    std::vector<std::uint32_t> hints_; ///< by value_source::hint
    typed_value spare_;                ///< the value that `reduce` joins next
    std::string scratch_;
    std::string text_;
    std::string held_;
    std::map<std::string, std::optional<selector>, std::less<>> given_selectors_; ///< by input
    bool was_too_costly_ = false;
    row_ref current_; ///< the row whose fields are being read
};

} // namespace tiktrend::sources
