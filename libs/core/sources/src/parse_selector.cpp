#include "definition_parser.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

/// The input's name if the text is {{ input.x }} with an input of type css.
std::optional<std::string> css_input(parse_context& context, const std::string& text) {
    const auto compiled = text_template::compile(text, context.names());
    if (!compiled) return std::nullopt;
    const auto name = compiled->lone_input();
    if (!name) return std::nullopt;
    const auto& inputs = context.source.inputs;
    const auto is_it = [&](const auto& i) { return i.name == *name && i.type == input_type::css; };
    return std::any_of(inputs.begin(), inputs.end(), is_it) ? std::optional<std::string>{*name}
                                                            : std::nullopt;
}

} // namespace

std::optional<selector_source> parse_selector(parse_context& context, mapping_reader& keys,
                                              bool may_be_input) {
    auto& errors = context.errors;
    const auto css = keys.text("css", max_selector_bytes);
    const auto xpath = keys.text("xpath", max_selector_bytes);
    const auto attr = keys.text("attr", 100);
    const char* key = css ? "css" : "xpath";
    if (!css && !xpath) {
        if (attr) errors.add(*keys.node().find("attr"), keys.path("attr"), "stands beside css or xpath only");
        return std::nullopt;
    }
    const auto& node = *keys.node().find(key);
    if (css && xpath) errors.add(node, keys.field(), "has css and xpath: choose one");
    if (!context.has_tree())
        errors.add(node, keys.path(key),
                   "there is no document to look in: expected one with parse: html or xml");
    selector_source out;
    if (css && css->find("{{") != std::string::npos) {
        const auto input = may_be_input ? css_input(context, *css) : std::nullopt;
        if (!input)
            errors.expected(node, keys.path(key),
                            "a CSS selector, or {{ input.x }} with an input of type css");
        out.input = input.value_or("");
        out.attribute = attr.value_or("");
        return out;
    }
    auto compiled = css ? compile_css(*css) : compile_xpath(*xpath);
    if (!compiled) {
        errors.add(node, keys.path(key),
                   fmt::format("expected {}: {}", css ? "a CSS selector" : "an XPath 1.0 expression",
                               compiled.error()));
        return std::nullopt;
    }
    out.what = std::move(*compiled);
    if (attr) {
        out.what.wants = selector::part::attribute;
        out.what.attribute = *attr;
    }
    return out;
}

std::optional<selector> parse_fixed_selector(parse_context& context, mapping_reader& keys) {
    auto out = parse_selector(context, keys, false);
    return out ? std::optional{std::move(out->what)} : std::nullopt;
}

} // namespace tiktrend::sources
