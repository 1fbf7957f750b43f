// The body of a request: a JSON value, a form, or text, with templates in it.
#include "definition_parser.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr int most_levels = 20;
constexpr std::size_t most_pieces = 500;

class json_body_compiler {
public:
    json_body_compiler(parse_context& context, const template_names& names)
        : context_{context}, names_{names} {}

    void value(const yaml_node& node, const std::string& field, int level) {
        if (level > most_levels || out.size() > most_pieces) {
            context_.errors.add(node, field, "is nested too deeply or too long");
            return;
        }
        switch (node.type) {
        case yaml_node::kind::null:
            literal("null");
            return;
        case yaml_node::kind::scalar:
            scalar(node, field);
            return;
        case yaml_node::kind::sequence:
            literal("[");
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                if (i > 0) literal(",");
                value(node.items[i], child(field, i), level + 1);
            }
            literal("]");
            return;
        case yaml_node::kind::mapping:
            literal("{");
            for (std::size_t i = 0; i < node.members.size(); ++i) {
                const auto& m = node.members[i];
                std::string key = i > 0 ? "," : "";
                append_json_string(key, m.key);
                literal(key + ":");
                value(m.value, child(field, m.key), level + 1);
            }
            literal("}");
            return;
        }
    }

    std::vector<json_body_piece> out;

private:
    void literal(std::string_view text) {
        if (out.empty() || out.back().value) out.emplace_back();
        out.back().literal += text;
    }

    void scalar(const yaml_node& node, const std::string& field) {
        if (node.text.find("{{") == std::string::npos) {
            const bool is_bare = node.is_plain && (node.text == "true" || node.text == "false" ||
                                                   node.text == "null" || is_json_number(node.text));
            std::string text;
            if (is_bare)
                text = node.text;
            else
                append_json_string(text, node.text);
            literal(text);
            return;
        }
        auto compiled = parse_template(context_, node, field, names_);
        if (!compiled) return;
        json_body_piece piece;
        piece.is_quoted = !is_number(*compiled);
        piece.value = std::move(*compiled);
        out.push_back(std::move(piece));
    }

    /// One variable alone whose value is always a number or a truth.
    bool is_number(const text_template& text) const {
        if (text.pieces().size() != 1) return false;
        const auto& piece = text.pieces().front();
        if (piece.type == template_piece::kind::page_number || piece.type == template_piece::kind::page_index)
            return true;
        if (piece.type != template_piece::kind::input) return false;
        const auto& inputs = *names_.inputs;
        return std::any_of(inputs.begin(), inputs.end(), [&](const auto& i) {
            return i.name == piece.text && (i.type == input_type::integer || i.type == input_type::boolean);
        });
    }

    parse_context& context_;
    const template_names& names_;
};

} // namespace

void parse_body(parse_context& context, const yaml_node& section, const template_names& names) {
    using body_kind = request_rule::body_kind;
    auto& request = context.plan.request;
    mapping_reader keys{context.errors, section, "request.body"};
    if (!keys.is_good()) return;
    if (const auto* json = keys.take("json")) {
        request.body = body_kind::json;
        json_body_compiler compiler{context, names};
        compiler.value(*json, keys.path("json"), 0);
        request.json_body = std::move(compiler.out);
    }
    if (const auto* form = keys.take("form")) {
        request.body = body_kind::form;
        if (!form->is_mapping())
            context.errors.expected(*form, keys.path("form"), "a mapping of names to texts");
        for (const auto& m : form->members)
            if (auto value = parse_template(context, m.value, child(keys.path("form"), m.key), names))
                request.form_body.emplace_back(m.key, std::move(*value));
    }
    if (const auto* text = keys.take("text")) {
        request.body = body_kind::text;
        request.text_body = parse_template(context, *text, keys.path("text"), names);
        request.body_type = keys.text("type", 100).value_or("text/plain");
    }
    keys.finish();
    const auto given = section.find("json") != nullptr ? 1 : 0;
    const auto others = (section.find("form") != nullptr ? 1 : 0) + (section.find("text") != nullptr ? 1 : 0);
    if (given + others != 1)
        context.errors.add(section, "request.body", "expected one of json, form and text");
}

} // namespace tiktrend::sources
