#pragma once
// The compiled rules of a definition: what the parser writes once and the readers walk for every page.
#include "html/selector.hpp"
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

/// A JSON body in pieces: literal text, and templates whose text is escaped in quotes or stands bare.
struct json_body_piece {
    std::string literal;
    std::optional<text_template> value;
    bool is_quoted = false;
};

struct request_rule {
    enum class body_kind : std::uint8_t { none, json, form, text };

    bool is_post = false;
    body_kind body = body_kind::none;
    std::vector<json_body_piece> json_body;
    std::vector<std::pair<std::string, text_template>> form_body;
    std::optional<text_template> text_body;
    std::string body_type; ///< Content-Type of a text body
    url_template url;
    std::vector<std::pair<std::string, text_template>> query;
    std::vector<header_rule> headers;
};

/// How a response becomes a named value.
struct document_rule {
    enum class kind : std::uint8_t { json, embedded_json, structured, html, xml };
    enum class syntax_kind : std::uint8_t { json_ld, microdata, opengraph, state, visible };

    std::string name;
    document_rule::kind parse = kind::json;
    syntax_kind syntax = syntax_kind::json_ld;
    std::vector<std::string> script_ids;  ///< embedded_json: the first that is there counts
    std::vector<std::string> assignments; ///< ditto, behind the ids
    std::vector<std::string> types;       ///< structured
    bool is_lenient = false;

    bool is_tree() const noexcept { return parse == kind::html || parse == kind::xml; }
};

/// A selector of the file, or one that an input holds.
struct selector_source {
    selector what;
    std::string input;     ///< name of the input; empty: `what` is compiled already
    std::string attribute; ///< with an input
};

/// The currency that the texts found for another field name.
struct symbol_source {
    std::size_t field = 0;
};

/// A header of the response.
struct header_source {
    std::string name; ///< lower case
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
    std::vector<std::pair<std::string, std::string>> headers; ///< name in lower case, glob without case
    bool body_is_empty = false;
    bool is_not_json = false;
    std::optional<std::size_t> missing_document;
    std::optional<selector> selected; ///< something matches
    std::optional<selector> missing_selected;
    std::shared_ptr<const pattern> body_matches;
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
    enum class kind : std::uint8_t { none, number, offset, cursor, link, header };
    using place = std::variant<std::monostate, path, header_source, selector>;

    paging_rule::kind by = kind::none;
    std::int64_t start = 1;
    std::int64_t step = 1; ///< what is added to the number, or to the offset
    std::optional<value_test> until;
    std::optional<path> more;
    place last;                    ///< number: of the last page
    place total;                   ///< offset: how many items there are
    place next;                    ///< cursor, link: of the next page
    std::string relation = "next"; ///< header: rel of the Link header (RFC 8288)
    bool stop_on_repeat = false;
    std::optional<std::int64_t> max;
    std::size_t document = 0; ///< that paths and selectors are about
    std::size_t tree = 0;
};

/// Links of a page that other jobs are made of.
struct follow_rule {
    std::size_t document = 0;
    std::variant<path, selector> from;
    std::vector<std::string> matching; ///< globs over the absolute address; empty: all
    std::optional<std::string> matching_input;
    std::string source;
    std::string input;
    std::vector<std::string> hand_on; ///< inputs of this source that the other gets too, under the same names
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
    std::variant<path, text_template, url_template, selector_source, symbol_source> from;
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
    int line = 0;               ///< in the file, from 1; 0 for nested ones
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
    std::optional<std::string> decimals_input;     ///< the input that holds the rule
    std::variant<std::monostate, int, path> scale; ///< money: the amount counts units of 10^-scale
    bool zero_is_null = false;
    std::optional<std::size_t> drop_unless_above; ///< field index
    std::optional<std::string> drop_if_equals;
    std::optional<std::string> fallback;
    std::vector<std::pair<std::string, value_source>> members; ///< form object
    std::vector<field_rule> children;                          ///< form rows; their rows are sources[0]
};

struct records_rule {
    bool is_given = false;
    std::size_t document = 0;
    std::vector<path> ways;       ///< the first that leads to something counts
    std::optional<selector> rows; ///< instead of a path, in a tree
    std::vector<std::size_t>
        first_of;        ///< one row of several documents, the first that is there before others
    bool merges = false; ///< what the first lacks comes from the others
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
    std::vector<std::pair<std::string, std::string>> headers;
    std::string url;
    std::string location;
    std::string input_json;
    page_state page;
    yaml_node expect;
};

struct plan {
    request_rule request;
    paging_rule pages;
    std::vector<document_rule> documents;
    std::vector<outcome_rule> outcomes;
    std::size_t json_document = 0; ///< the first that is no tree: what paths are about that name none
    std::size_t tree = 0;          ///< the first that is one: what selectors are about that name none
    records_rule records;
    std::vector<follow_rule> follow;
    std::vector<field_rule> fields;
    std::vector<std::size_t> order; ///< fields in the order of their references to each other
    std::vector<key_part> key;
    int min_valid_percent = 0;
    std::size_t hint_count = 0; ///< one for every source of every field
    std::vector<test_case> tests;
};

} // namespace tiktrend::sources
