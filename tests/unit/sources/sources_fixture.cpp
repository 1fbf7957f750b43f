#include "sources_fixture.hpp"

#include "json_document.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::sources::testing {

std::string parts::yaml() const {
    std::string out =
        "format: 1\nid: test.shop\nkind: product\ninput: " + input + "\nrequest: " + request + "\n";
    if (!pages.empty()) out += pages + "\n";
    out += "documents: {body: {parse: json}}\n";
    if (!outcomes.empty()) out += "outcomes:\n" + outcomes;
    out += "records: " + records + "\nkey: " + key + "\nfields:\n" + fields;
    return out + rest;
}

definition_ptr define_yaml(const std::string& yaml) {
    auto parsed = parse_definition("test.yaml", yaml);
    if (!parsed) {
        INFO(mistakes_of(yaml));
        REQUIRE(parsed.has_value());
    }
    return *parsed;
}

definition_ptr define(const parts& p) {
    return define_yaml(p.yaml());
}

std::string mistakes_of(const std::string& yaml) {
    const auto parsed = parse_definition("f", yaml);
    if (parsed) return "none";
    std::string out;
    const auto errors = parsed.error();
    for (const auto& e : errors)
        out += (out.empty() ? "" : "\n") + to_string(e).substr(2);
    return out;
}

input_values inputs_of(const definition& source, std::string_view json) {
    return validate_input(source, json).value();
}

response_view answer(std::string_view body, int status, std::string_view content_type) {
    response_view out;
    out.status = status;
    out.content_type = content_type;
    out.url = "https://shop.example/list?page=1";
    out.body = body;
    return out;
}

page_result read(const definition& source, std::string_view body, std::string_view input) {
    return read_page(source, inputs_of(source, input), first_page(source), answer(body));
}

std::string record_of(const definition& source, std::string_view row, std::string_view input) {
    const auto page = read(source, "{\"rows\":[" + std::string{row} + "]}", input);
    return page.records.empty() ? page.message : to_json(page.records.front());
}

std::string field_of(std::string_view rule, std::string_view row, const parts& p) {
    auto with_field = p;
    with_field.fields += "  x: " + std::string{rule} + "\n";
    const auto source = define(with_field);
    const auto json = record_of(*source, row);
    json_document document;
    REQUIRE(document.parse(json) == json_status::ok);
    const auto node = document.root().member("x");
    if (!node.exists()) return "nothing";
    std::string out;
    node.append_to(out);
    return out;
}

} // namespace tiktrend::sources::testing
