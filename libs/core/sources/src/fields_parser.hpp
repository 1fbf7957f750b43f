#pragma once
// Reads the fields of one level: all of `fields`, or those of one field's `rows`.
#include "definition_parser.hpp"

namespace tiktrend::sources {

/// The name of a field type as files write it; "any" for the one without a name.
std::string_view name_of(field_type type) noexcept;

inline bool is_number(field_type t) noexcept {
    return t == field_type::money || t == field_type::count || t == field_type::decimal;
}

class fields_parser {
public:
    explicit fields_parser(parse_context& context) : context_{context}, errors_{context.errors} {}

    void parse_all(const yaml_node& section);

private:
    void parse_field(const yaml_node::member& m, const std::string& field, field_rule& rule, bool is_nested);
    void parse_type(mapping_reader& keys, field_rule& rule);
    /// object, rows and none: true if the field is one of them.
    bool parse_shape(mapping_reader& keys, field_rule& rule);
    void set_json_type(mapping_reader& keys, field_rule& rule);
    void parse_each(mapping_reader& keys, const yaml_node& each, field_rule& rule);
    void parse_sources(mapping_reader& keys, field_rule& rule);
    /// A path, or {path: …}, {css: …}, {value: …}, {template: …}, {from_symbol: …} or {<document>: <path>}.
    std::optional<value_source> parse_alternative(const yaml_node& node, const std::string& field,
                                                  const field_rule& rule);
    std::optional<value_source> parse_template(const yaml_node& node, const std::string& field,
                                               const field_rule& rule);
    std::optional<value_source> parse_symbol(const yaml_node& node, const std::string& field,
                                             const field_rule& rule);
    std::optional<value_source> parse_selected(const yaml_node& node, const std::string& field,
                                               std::optional<std::size_t> document);
    void parse_cleaner(const yaml_node& node, const std::string& field, field_rule& rule);
    void parse_cleaning(mapping_reader& keys, field_rule& rule);
    std::optional<decimal_number> bound(mapping_reader& keys, std::string_view key);
    void parse_numbers(mapping_reader& keys, field_rule& rule);
    void parse_scale(mapping_reader& keys, field_rule& rule);
    void parse_decimal_rule(mapping_reader& keys, field_rule& rule);
    /// field:x, input:x or a currency code.
    text_reference parse_reference(mapping_reader& keys, std::string_view key, const std::string& text);
    void parse_drop_if(mapping_reader& keys, field_rule& rule);
    std::optional<std::size_t> field_index(std::string_view name) const noexcept;
    /// What can only be told once every field has been read.
    void check_references(const yaml_node::member& m, std::size_t index);
    std::vector<std::size_t> references_of(const field_rule& rule) const;
    /// Fields in file order, but each behind those that it refers to.
    void put_in_order(const yaml_node& section);

    parse_context& context_;
    mistakes& errors_;
};

} // namespace tiktrend::sources
