#include "plan.hpp"

#include <tiktrend/sources/describe.hpp>

#include <fmt/format.h>

namespace tiktrend::sources {
namespace {

std::string show(const text_template& text) {
    std::string out;
    for (const auto& piece : text.pieces()) {
        if (!piece.is_variable()) {
            out += piece.text;
            continue;
        }
        switch (piece.type) {
        case template_piece::kind::input:
            out += "{{ input." + piece.text + " }}";
            break;
        case template_piece::kind::row:
            out += "{{ row." + piece.text + " }}";
            break;
        case template_piece::kind::response_url:
            out += "{{ response.url }}";
            break;
        default:
            out += "{{ … }}";
        }
    }
    return out;
}

struct writer {
    const plan& rules;

    std::string operator()(const path& way) const {
        return way.written.empty() ? "the row itself" : way.written;
    }
    std::string operator()(const text_template& text) const { return show(text); }
    std::string operator()(const url_template&) const { return "a URL template"; }
    std::string operator()(const selector_source& what) const {
        const auto name = what.input.empty() ? what.what.written : "{{ input." + what.input + " }}";
        const auto& attribute = what.input.empty() ? what.what.attribute : what.attribute;
        return attribute.empty() ? name : fmt::format("{} @{}", name, attribute);
    }
    std::string operator()(const symbol_source& symbol) const {
        return "the currency sign in " + rules.fields[symbol.field].name;
    }
};

} // namespace

std::vector<field_description> describe_fields(const definition& source) {
    std::vector<field_description> out;
    const auto& rules = *source.plan;
    for (const auto& field : rules.fields) {
        field_description d{field.name, field.line, field.is_required, {}};
        for (const auto& s : field.sources) {
            auto text = std::visit(writer{rules}, s.from);
            d.alternatives.push_back(s.document ? rules.documents[*s.document].name + ": " + text : text);
        }
        out.push_back(std::move(d));
    }
    return out;
}

} // namespace tiktrend::sources
