#include "html/selector.hpp"

#include "json_strings.hpp"
#include "yaml_tree.hpp"

#include <fmt/format.h>
#include <libxml/xpath.h>

#include <algorithm>
#include <array>
#include <memory>

namespace tiktrend::sources {
namespace {

/// The core library (XPath 1.0 section 4) without id(), which needs a DTD, and the node tests that look
/// alike.
constexpr std::array<std::string_view, 30> functions{"last",          "position",
                                                     "count",         "local-name",
                                                     "name",          "namespace-uri",
                                                     "string",        "concat",
                                                     "starts-with",   "contains",
                                                     "substring",     "substring-before",
                                                     "string-length", "normalize-space",
                                                     "translate",     "substring-after",
                                                     "boolean",       "not",
                                                     "true",          "false",
                                                     "lang",          "number",
                                                     "sum",           "floor",
                                                     "ceiling",       "round",
                                                     "text",          "node",
                                                     "comment",       "processing-instruction"};

bool is_name_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || static_cast<signed char>(c) < 0;
}

/// The first word that is called and may not be, or a variable.
std::string foreign_call(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            const auto end = text.find(c, i + 1);
            if (end == std::string_view::npos) return {};
            i = end + 1;
        } else if (c == '$') {
            return "variables";
        } else if (is_name_character(c)) {
            const auto from = i;
            while (i < text.size() && is_name_character(text[i]))
                ++i;
            auto word = text.substr(from, i - from);
            auto behind = i;
            while (behind < text.size() &&
                   (text[behind] == ' ' || text[behind] == '\n' || text[behind] == '\t'))
                ++behind;
            if (behind >= text.size() || text[behind] != '(') continue;
            if (const auto axis = word.find("::"); axis != std::string_view::npos)
                word.remove_prefix(axis + 2);
            if (word == "and" || word == "or" || word == "div" || word == "mod") continue;
            if (std::find(functions.begin(), functions.end(), word) == functions.end())
                return std::string{word} + "()";
        } else {
            ++i;
        }
    }
    return {};
}

struct context_end {
    void operator()(xmlXPathContext* c) const noexcept { xmlXPathFreeContext(c); }
    void operator()(xmlXPathCompExpr* e) const noexcept { xmlXPathFreeCompExpr(e); }
};

void be_silent(void*, xmlErrorPtr) {}

/// True if libxml2 takes the expression.
bool is_understood(const std::string& xpath) {
    xmlInitParser();
    const std::unique_ptr<xmlXPathContext, context_end> context{xmlXPathNewContext(nullptr)};
    if (!context) return false;
    context->error = be_silent;
    const std::unique_ptr<xmlXPathCompExpr, context_end> compiled{
        xmlXPathCtxtCompile(context.get(), reinterpret_cast<const xmlChar*>(xpath.c_str()))};
    return compiled != nullptr;
}

std::string_view trim(std::string_view t) noexcept {
    while (!t.empty() && (t.front() == ' ' || t.front() == '\n' || t.front() == '\t'))
        t.remove_prefix(1);
    while (!t.empty() && (t.back() == ' ' || t.back() == '\n' || t.back() == '\t'))
        t.remove_suffix(1);
    return t;
}

std::string size_problem(std::string_view text) {
    if (text.empty()) return "is empty";
    if (text.size() > max_selector_bytes) return "is longer than 1000 bytes";
    if (has_control_characters(text) && text.find_first_not_of(" \n\t") == std::string_view::npos)
        return "is empty";
    return {};
}

} // namespace

std::string xpath_literal(std::string_view text) {
    if (text.find('\'') == std::string_view::npos) return fmt::format("'{}'", text);
    if (text.find('"') == std::string_view::npos) return fmt::format("\"{}\"", text);
    std::string out = "concat(";
    while (!text.empty()) {
        const auto end = std::min(text.find('\''), text.size());
        if (out.back() != '(') out += ",";
        if (end == 0) {
            out += "\"'\"";
            text.remove_prefix(1);
            continue;
        }
        out += fmt::format("'{}'", text.substr(0, end));
        text.remove_prefix(end);
    }
    return out + ")";
}

result<selector, std::string> compile_css(std::string_view text) {
    text = trim(text);
    if (auto wrong = size_problem(text); !wrong.empty()) return wrong;
    selector out;
    out.written = text;
    if (text.ends_with("::text")) {
        text.remove_suffix(6);
    } else if (text.ends_with(')')) {
        const auto at = text.rfind("::attr(");
        if (at != std::string_view::npos) {
            out.wants = selector::part::attribute;
            out.attribute = trim(text.substr(at + 7, text.size() - at - 8));
            text = text.substr(0, at);
        }
    }
    std::string problem;
    auto xpath = css_to_xpath(trim(text), problem);
    if (!xpath) return problem;
    out.xpath = std::move(*xpath);
    if (!is_understood(out.xpath)) return std::string{"is no CSS selector that is understood"};
    return out;
}

result<selector, std::string> compile_xpath(std::string_view text) {
    text = trim(text);
    if (auto problem = size_problem(text); !problem.empty()) return problem;
    if (const auto call = foreign_call(text); !call.empty())
        return fmt::format("{} may not be used: only the functions of XPath 1.0 that need nothing else",
                           excerpt(call));
    selector out;
    out.written = out.xpath = text;
    if (!is_understood(out.xpath)) return std::string{"is no XPath 1.0 expression"};
    return out;
}

} // namespace tiktrend::sources
