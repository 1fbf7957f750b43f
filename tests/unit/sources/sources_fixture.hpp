#pragma once
// A small shop to try rules on: a definition made of parts, and a page read with it in one call.
#include <tiktrend/sources/page.hpp>

#include <string>
#include <string_view>

namespace tiktrend::sources::testing {

/// A whole definition with the sections that a test is about. Sections left empty get a working default.
struct parts {
    std::string input = "{}";
    std::string pages;    ///< "pages: …" or empty
    std::string outcomes; ///< list items, each indented by two, or empty
    std::string records = "{from: body, path: [rows]}";
    std::string key = "[field:id]";
    std::string fields = "  id: {path: [id], type: text, required: true}\n";
    std::string rest; ///< further top-level sections
    std::string request = "{url: \"https://shop.example/list\", query: {page: \"{{ page.number }}\"}}";

    std::string yaml() const;
};

/// Parses; fails the test with every mistake if there are some.
definition_ptr define(const parts& p);
definition_ptr define_yaml(const std::string& yaml);
/// The mistakes of a text as one line each, without the file's name.
std::string mistakes_of(const std::string& yaml);
input_values inputs_of(const definition& source, std::string_view json = "{}");

response_view answer(std::string_view body, int status = 200,
                     std::string_view content_type = "application/json");
page_result read(const definition& source, std::string_view body, std::string_view input = "{}");
/// The one record of a page `{"rows":[<row>]}`, as JSON; the page's message when there is none.
std::string record_of(const definition& source, std::string_view row, std::string_view input = "{}");
/// The JSON of one field (named x, added to the others) read from one row.
std::string field_of(std::string_view rule, std::string_view row, const parts& p = parts{});

} // namespace tiktrend::sources::testing
