#pragma once
// The compiled rules of a definition: what the parser writes once and the readers walk for every page.
#include "path.hpp"
#include "pattern.hpp"
#include "text_template.hpp"
#include "url_template.hpp"
#include "values/decimal_number.hpp"
#include "yaml_tree.hpp"

#include <tiktrend/sources/page.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tiktrend::sources {

struct header_rule {
    std::string name; ///< lower case
    text_template value;
};

struct request_rule {
    url_template url;
    std::vector<std::pair<std::string, text_template>> query;
    std::vector<header_rule> headers;
};

/// A test on the value at a path. Absent values meet only `is_missing`; null counts as a value for `is: null`
/// alone.
struct value_test {
    enum class kind : std::uint8_t {
        equals,
        one_of,
        not_equal,
        is_empty_array,
        is_empty,
        is_null,
        is_true,
        is_false,
        matches,
        is_missing
    };
    value_test::kind type = kind::equals;
    std::size_t document = 0;
    path way;
    std::vector<std::string> texts;
    std::shared_ptr<const pattern> expression;
};

/// All parts that are given must hold.
struct condition {
    struct status_range {
        int low = 0;
        int high = 0;
    };
    std::vector<status_range> status;
    std::optional<std::string> content_type; ///< glob, without case
    std::optional<std::string> redirect_to;  ///< glob over the URL of every redirect target that is known
    bool body_is_empty = false;
    bool is_not_json = false;
    std::optional<std::size_t> missing_document;
    std::optional<std::int64_t> page;
    std::optional<value_test> value;
};

struct outcome_rule {
    condition when;
    outcome is = outcome::invalid;
    std::variant<std::monostate, std::string, path> message;
    int line = 0;
};

struct paging_rule {
    enum class kind : std::uint8_t { none, number };
    paging_rule::kind by = kind::none;
    std::int64_t start = 1;
    std::optional<value_test> until;
    std::optional<path> more;
    std::optional<path> last;
    bool stop_on_repeat = false;
    std::optional<std::int64_t> max;
};

enum class field_type : std::uint8_t {
    any,
    text,
    url,
    money,
    currency,
    count,
    decimal,
    boolean,
    availability,
    time,
    list,
    json
};
enum class reduction : std::uint8_t { none, first, min, max, any, sum };

struct cleaner {
    enum class kind : std::uint8_t {
        trim,
        collapse,
        html_to_text,
        decode_entities,
        lower,
        upper,
        match,
        map
    };
    cleaner::kind type = kind::trim;
    std::shared_ptr<const pattern> expression;
    std::map<std::string, std::string, std::less<>> table;
};

/// One way to a value.
struct value_source {
    std::optional<std::size_t> document; ///< absent: the row
    std::variant<path, text_template, url_template> from;
    std::size_t hint = 0; ///< which of the plan's hints remembers where the path's first key stood
};

/// Where a field's currency or decimal rule comes from.
struct text_reference {
    enum class kind : std::uint8_t { none, field, input, literal };
    text_reference::kind type = kind::none;
    std::size_t field = 0;
    std::string text; ///< input name or the literal
};

struct field_rule {
    enum class shape : std::uint8_t { single, each, object, rows, nothing };

    std::string name;
    std::string_view canonical; ///< the same from canonical_fields(), empty for other names
    field_type type = field_type::any;
    field_rule::shape form = shape::single;
    bool is_required = false;
    std::vector<value_source> sources;
    std::vector<cleaner> clean;
    std::optional<std::size_t> max_length;     ///< characters of text, elements of a list
    std::optional<decimal_number> least, most; ///< bounds of numbers
    reduction reduce = reduction::none;
    std::optional<std::string> split;
    text_reference currency;
    decimal_rule decimals = decimal_rule::automatic;
    std::optional<std::string> decimals_input; ///< the input that holds the rule
    bool zero_is_null = false;
    std::optional<std::size_t> drop_unless_above; ///< field index
    std::optional<std::string> drop_if_equals;
    std::optional<std::string> fallback;
    std::vector<std::pair<std::string, path>> members; ///< form object
    std::vector<field_rule> children;                  ///< form rows; their rows are sources[0]
};

struct key_part {
    bool is_input = false;
    std::size_t field = 0;
    std::string input;
};

struct test_case {
    int line = 0;
    std::string fixture;
    int status = 200;
    std::string content_type;
    std::string url;
    std::string location;
    std::string input_json;
    page_state page;
    yaml_node expect;
};

struct plan {
    request_rule request;
    paging_rule pages;
    std::vector<std::string> documents;
    std::vector<outcome_rule> outcomes;
    std::size_t records_document = 0;
    path records;
    std::vector<field_rule> fields;
    std::vector<std::size_t> order; ///< fields in the order of their references to each other
    std::vector<key_part> key;
    int min_valid_percent = 0;
    std::size_t hint_count = 0; ///< one for every source of every field
    std::vector<test_case> tests;
};

} // namespace tiktrend::sources
