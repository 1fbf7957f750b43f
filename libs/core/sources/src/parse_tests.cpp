#include "definition_parser.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

/// The test's inputs as the JSON object that a job would carry.
std::string input_json(parse_context& context, const yaml_node& node, const std::string& field) {
    if (!node.is_mapping()) {
        context.errors.expected(node, field, "a mapping of input names to values");
        return "{}";
    }
    std::string out = "{";
    for (const auto& m : node.members) {
        const auto& inputs = context.source.inputs;
        const auto input =
            std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return i.name == m.key; });
        if (input == inputs.end() || !m.value.is_scalar()) {
            context.errors.add(m.line, m.column, child(field, m.key),
                               "expected the name of an input and a value");
            continue;
        }
        if (out.size() > 1) out += ',';
        append_json_string(out, m.key);
        out += ':';
        const bool is_bare = input->type == input_type::integer || input->type == input_type::boolean;
        if (is_bare)
            out += m.value.text;
        else
            append_json_string(out, m.value.text);
    }
    return out + "}";
}

void check_expectations(parse_context& context, const yaml_node& node, const std::string& field) {
    mapping_reader keys{context.errors, node, field};
    if (!keys.is_good()) return;
    if (const auto text = keys.text("outcome"); text && !outcome_of(*text))
        context.errors.expected(*node.find("outcome"), keys.path("outcome"), "the name of an outcome");
    keys.integer("count", 0, 1'000'000);
    for (const auto* which : {"first", "last"})
        if (const auto* record = keys.take(which); record != nullptr && !record->is_mapping())
            context.errors.expected(*record, keys.path(which), "a mapping of field names to values");
    if (const auto* next = keys.take("next"); next != nullptr) {
        const auto by = context.plan.pages.by;
        const bool counts = by == paging_rule::kind::none || by == paging_rule::kind::number ||
                            by == paging_rule::kind::offset;
        if (!next->is_scalar() || (counts && next->text != "none" && !to_integer(next->text)))
            context.errors.expected(*next, keys.path("next"),
                                    counts ? "the number of the next page, or none"
                                           : "the cursor or the address of the next page, or none");
    }
    keys.integer("follow", 0, 1'000'000);
    keys.text("message");
    keys.finish();
    if (node.members.empty())
        context.errors.add(node, field,
                           "expected at least one of outcome, count, first, last, next, follow, message");
}

void parse_test(parse_context& context, const yaml_node& node, const std::string& field) {
    mapping_reader keys{context.errors, node, field};
    if (!keys.is_good()) return;
    test_case test;
    test.line = node.line;
    keys.require("response", "the name of a fixture");
    test.fixture = keys.text("response", 200).value_or("");
    if (test.fixture.starts_with('/') || test.fixture.find("..") != std::string::npos)
        context.errors.expected(*node.find("response"), keys.path("response"),
                                "a file below the definition's folder");
    test.status = static_cast<int>(keys.integer("status", 100, 599).value_or(200));
    const auto& documents = context.plan.documents;
    const bool is_page = std::any_of(documents.begin(), documents.end(),
                                     [](const auto& d) { return d.parse != document_rule::kind::json; });
    test.content_type =
        keys.text("content_type").value_or(is_page ? "text/html; charset=utf-8" : "application/json");
    if (const auto* headers = keys.take("headers")) {
        if (!headers->is_mapping())
            context.errors.expected(*headers, keys.path("headers"), "a mapping of header names to values");
        for (const auto& m : headers->members) {
            std::string name = m.key;
            for (auto& c : name)
                if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
            test.headers.emplace_back(std::move(name), m.value.text);
        }
    }
    test.url = keys.text("base").value_or("https://shop.example/");
    test.location = keys.text("location").value_or("");
    const auto* input = keys.take("input");
    test.input_json = input != nullptr ? input_json(context, *input, keys.path("input")) : "{}";
    test.page.number = keys.integer("page", 0, 1'000'000).value_or(context.plan.pages.start);
    test.page.index = test.page.number - context.plan.pages.start;
    if (const auto* expect = keys.require("expect", "what must be read")) {
        check_expectations(context, *expect, keys.path("expect"));
        test.expect = *expect;
    }
    keys.finish();
    context.plan.tests.push_back(std::move(test));
}

} // namespace

void parse_tests(parse_context& context, const yaml_node& section) {
    if (!section.is_sequence()) {
        context.errors.expected(section, "tests", "a list of tests");
        return;
    }
    for (std::size_t i = 0; i < section.items.size(); ++i)
        parse_test(context, section.items[i], child("tests", i));
}

} // namespace tiktrend::sources
