#include "definition_parser.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, outcome>, 10> declarable{{
    {"ok", outcome::ok},
    {"empty", outcome::empty},
    {"not_modified", outcome::not_modified},
    {"rate_limited", outcome::rate_limited},
    {"blocked", outcome::blocked},
    {"login_required", outcome::login_required},
    {"not_found", outcome::not_found},
    {"retired", outcome::retired},
    {"invalid", outcome::invalid},
    {"transient", outcome::transient},
}};

constexpr std::array<std::pair<std::string_view, value_test::kind>, 5> states{{
    {"empty_array", value_test::kind::is_empty_array},
    {"empty", value_test::kind::is_empty},
    {"null", value_test::kind::is_null},
    {"true", value_test::kind::is_true},
    {"false", value_test::kind::is_false},
}};

/// 404, [429, 430] or 5xx.
void parse_status(mistakes& errors, mapping_reader& keys, condition& out) {
    const auto given = keys.texts("status");
    if (!given) return;
    for (const auto& text : *given) {
        if (text.size() == 3 && text.front() >= '1' && text.front() <= '5' && text.ends_with("xx")) {
            const int low = (text.front() - '0') * 100;
            out.status.push_back({low, low + 99});
        } else if (const auto code = to_integer(text); code && *code >= 100 && *code <= 599) {
            out.status.push_back({static_cast<int>(*code), static_cast<int>(*code)});
        } else {
            errors.expected(*keys.node().find("status"), keys.path("status"),
                            "status codes from 100 to 599, or 5xx for all of a class");
        }
    }
}

/// {name: glob, …}
void parse_header_globs(mistakes& errors, mapping_reader& keys, condition& out) {
    const auto* headers = keys.take("header");
    if (headers == nullptr) return;
    if (!headers->is_mapping() || headers->members.empty()) {
        errors.expected(*headers, keys.path("header"), "a mapping of header names to globs");
        return;
    }
    for (const auto& m : headers->members) {
        std::string name = m.key;
        for (auto& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (m.value.is_scalar())
            out.headers.emplace_back(std::move(name), m.value.text);
        else
            errors.expected(m.value, child(keys.path("header"), m.key), "a glob");
    }
}

/// `missing: state` names a document, `missing: [products]` is a path, `missing: {css: …}` a selector.
void parse_missing(parse_context& context, mapping_reader& keys, condition& out) {
    const auto* node = keys.node().find("missing");
    if (node != nullptr && node->is_mapping()) {
        mapping_reader inside{context.errors, *node, keys.path("missing")};
        out.missing_selected = parse_fixed_selector(context, inside);
        inside.finish();
        if (!out.missing_selected)
            context.errors.expected(*node, keys.path("missing"), "{css: …} or {xpath: …}");
        return;
    }
    if (node == nullptr || !node->is_scalar() || node->text.starts_with('/'))
        return; // a path: parse_value_test() reads it
    out.missing_document = context.document_index(node->text);
    if (!out.missing_document)
        context.errors.expected(
            *node, keys.path("missing"),
            fmt::format("a path, {{css: …}} or one of the documents {}", context.document_names()));
}

condition parse_condition(parse_context& context, const yaml_node& node, const std::string& field) {
    condition out;
    mapping_reader keys{context.errors, node, field};
    if (!keys.is_good()) return out;
    parse_status(context.errors, keys, out);
    out.content_type = keys.text("content_type", 200);
    out.redirect_to = keys.text("redirect_to", 500);
    if (const auto* body = keys.take("body")) {
        out.body_is_empty = body->is_scalar() && body->text == "empty";
        if (!out.body_is_empty) context.errors.expected(*body, keys.path("body"), "empty");
    }
    if (const auto not_json = keys.boolean("not_json")) {
        out.is_not_json = *not_json;
        if (!*not_json) context.errors.expected(*node.find("not_json"), keys.path("not_json"), "true");
    }
    out.page = keys.integer("page", 0, 1'000'000);
    parse_header_globs(context.errors, keys, out);
    if (const auto text = keys.text("body_matches", 1000)) {
        auto compiled = pattern::compile(*text);
        if (compiled)
            out.body_matches = std::move(*compiled);
        else
            context.errors.add(
                *node.find("body_matches"), keys.path("body_matches"),
                fmt::format("expected a regular expression (RE2 syntax): {}", compiled.error()));
    }
    if (auto what = parse_fixed_selector(context, keys)) out.selected = std::move(*what);
    parse_missing(context, keys, out);
    out.value = parse_value_test(context, keys);
    keys.finish();
    if (node.members.empty()) context.errors.expected(node, field, "at least one condition");
    return out;
}

void parse_rule(parse_context& context, const yaml_node& node, const std::string& field) {
    mapping_reader keys{context.errors, node, field};
    if (!keys.is_good()) return;
    outcome_rule rule;
    rule.line = node.line;
    if (const auto* when = keys.require("when", "conditions"))
        rule.when = parse_condition(context, *when, keys.path("when"));
    if (const auto is = keys.choice("is", declarable))
        rule.is = *is;
    else if (node.find("is") == nullptr)
        context.errors.add(node, field, "is: missing: expected the name of an outcome");
    if (const auto* message = keys.take("message")) {
        if (message->is_sequence() || (message->is_scalar() && message->text.starts_with('/'))) {
            if (auto way = parse_path(context.errors, *message, keys.path("message")))
                rule.message = std::move(*way);
        } else if (message->is_scalar() && message->text.size() <= 200) {
            rule.message = message->text;
        } else {
            context.errors.expected(*message, keys.path("message"), "a path or text of at most 200 bytes");
        }
    }
    keys.finish();
    context.plan.outcomes.push_back(std::move(rule));
}

} // namespace

std::optional<outcome> outcome_of(std::string_view name) noexcept {
    for (int i = 0; i <= static_cast<int>(outcome::empty_body); ++i)
        if (name_of(static_cast<outcome>(i)) == name) return static_cast<outcome>(i);
    return std::nullopt;
}

std::optional<value_test> parse_value_test(parse_context& context, mapping_reader& keys) {
    auto& errors = context.errors;
    if (!keys.is_good()) return std::nullopt;
    value_test out;
    out.document = context.plan.json_document;
    const auto* missing = keys.take("missing");
    const auto* way = keys.take("path");
    const auto document = keys.text("from", 64);
    if (document) {
        const auto index = context.document_index(*document);
        if (!index)
            errors.expected(*keys.node().find("from"), keys.path("from"),
                            fmt::format("one of the documents {}", context.document_names()));
        out.document = index.value_or(out.document);
    }

    int tests = 0;
    if (const auto* equals = keys.take("equals")) {
        ++tests;
        out.type = value_test::kind::equals;
        if (equals->is_scalar())
            out.texts = {equals->text};
        else
            errors.expected(*equals, keys.path("equals"), "a value");
    }
    if (const auto* other = keys.take("not")) {
        ++tests;
        out.type = value_test::kind::not_equal;
        if (other->is_scalar())
            out.texts = {other->text};
        else
            errors.expected(*other, keys.path("not"), "a value");
    }
    if (auto list = keys.texts("in")) {
        ++tests;
        out.type = value_test::kind::one_of;
        out.texts = std::move(*list);
    }
    if (keys.node().find("is") != nullptr &&
        keys.node().find("is")->is_null()) { // a bare null is YAML's nothing
        keys.take("is");
        ++tests;
        out.type = value_test::kind::is_null;
    } else if (const auto state = keys.choice("is", states)) {
        ++tests;
        out.type = *state;
    }
    if (const auto text = keys.text("matches", 1024)) {
        ++tests;
        out.type = value_test::kind::matches;
        auto compiled = pattern::compile(*text);
        if (compiled)
            out.expression = std::move(*compiled);
        else
            errors.add(*keys.node().find("matches"), keys.path("matches"),
                       fmt::format("expected a regular expression (RE2 syntax): {}", compiled.error()));
    }

    const bool is_missing_path =
        missing != nullptr && (missing->is_sequence() || missing->text.starts_with('/'));
    if (is_missing_path) {
        if (way != nullptr || tests > 0)
            errors.add(*missing, keys.path("missing"), "stands alone: expected no path beside it");
        out.type = value_test::kind::is_missing;
        if (auto parsed = parse_path(errors, *missing, keys.path("missing"))) out.way = std::move(*parsed);
        return out;
    }
    if (way == nullptr) {
        if (tests > 0)
            errors.add(keys.node(), keys.field(), fmt::format("path: missing: expected {}", path_form));
        return std::nullopt;
    }
    if (auto parsed = parse_path(errors, *way, keys.path("path"))) out.way = std::move(*parsed);
    if (tests != 1)
        errors.add(*way, keys.path("path"), "expected exactly one of equals, not, in, is, matches beside it");
    return out;
}

void parse_outcomes(parse_context& context, const yaml_node& section) {
    if (!section.is_sequence()) {
        context.errors.expected(section, "outcomes", "a list of rules");
        return;
    }
    for (std::size_t i = 0; i < section.items.size(); ++i)
        parse_rule(context, section.items[i], child("outcomes", i));
}

} // namespace tiktrend::sources
