#pragma once
// The parts that parse_definition() is made of. Each reads one section, notes its mistakes and goes on, so
// that an author sees all of them at once.
#include "mapping_reader.hpp"
#include "plan.hpp"

#include <tiktrend/sources/definition.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// What the sections need to know of each other.
struct parse_context {
    mistakes& errors;
    definition& source;
    sources::plan& plan;

    std::optional<std::size_t> document_index(std::string_view name) const noexcept;
    /// The names of all documents, or of those that are trees or no trees, for messages.
    std::string document_names() const;
    bool has_tree() const noexcept;
    bool has_json() const noexcept; ///< a document that is no tree
    template_names names() const noexcept { return {.inputs = &source.inputs}; }
};

// parse_inputs.cpp
void parse_inputs(parse_context& context, const yaml_node& section);

// parse_request.cpp
void parse_limits(parse_context& context, const yaml_node& section);
void parse_politeness(parse_context& context, const yaml_node& section);
void parse_request(parse_context& context, const yaml_node& section);
/// A template, or nothing after noting what is wrong.
std::optional<text_template> parse_template(parse_context& context, const yaml_node& node,
                                            const std::string& field, const template_names& names);

// parse_outcomes.cpp
void parse_outcomes(parse_context& context, const yaml_node& section);
/// Reads the keys of a value test (path, from, is, equals, not, in, matches, missing as a path) that `keys`
/// has; nothing if it has none of them.
std::optional<value_test> parse_value_test(parse_context& context, mapping_reader& keys);
std::optional<outcome> outcome_of(std::string_view name) noexcept;

// parse_selector.cpp
/// Reads css or xpath, and attr, of `keys`; nothing if it has neither. `may_be_input`: {{ input.x }} of type
/// css may stand for the selector.
std::optional<selector_source> parse_selector(parse_context& context, mapping_reader& keys,
                                              bool may_be_input);
/// One that stands in the file.
std::optional<selector> parse_fixed_selector(parse_context& context, mapping_reader& keys);

// parse_documents.cpp
void parse_documents(parse_context& context, const yaml_node& section);
void parse_records(parse_context& context, const yaml_node& section);
void parse_follow(parse_context& context, const yaml_node& section);

// parse_body.cpp
void parse_body(parse_context& context, const yaml_node& section, const template_names& names);

// parse_pages.cpp
void parse_pages(parse_context& context, const yaml_node& section);

// parse_path.cpp
/// A list of steps or a JSON Pointer.
std::optional<path> parse_path(mistakes& errors, const yaml_node& node, std::string_view field);
inline constexpr std::string_view path_form = "a path: a list of steps or a JSON Pointer (\"/a/0\")";

// parse_fields.cpp
void parse_fields(parse_context& context, const yaml_node& section);

// parse_tests.cpp
void parse_tests(parse_context& context, const yaml_node& section);

} // namespace tiktrend::sources
