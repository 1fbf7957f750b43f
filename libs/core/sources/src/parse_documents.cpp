// Documents, the rows in them, and the links that other jobs are made of.
#include "definition_parser.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, document_rule::kind>, 5> kinds{{
    {"json", document_rule::kind::json},
    {"embedded_json", document_rule::kind::embedded_json},
    {"structured", document_rule::kind::structured},
    {"html", document_rule::kind::html},
    {"xml", document_rule::kind::xml},
}};

constexpr std::array<std::pair<std::string_view, document_rule::syntax_kind>, 5> syntaxes{{
    {"json_ld", document_rule::syntax_kind::json_ld},
    {"microdata", document_rule::syntax_kind::microdata},
    {"opengraph", document_rule::syntax_kind::opengraph},
    {"state", document_rule::syntax_kind::state},
    {"visible", document_rule::syntax_kind::visible},
}};

constexpr std::size_t most_documents = 20;

void parse_document(parse_context& context, const yaml_node::member& m) {
    auto& errors = context.errors;
    const auto field = child("documents", m.key);
    constexpr std::array<std::string_view, 7> taken{"path",  "value", "template",   "css",
                                                    "xpath", "attr",  "from_symbol"};
    if (!is_name(m.key) || std::find(taken.begin(), taken.end(), m.key) != taken.end())
        errors.add(m.line, m.column, field,
                   fmt::format("expected a name other than {}", fmt::join(taken, ", ")));
    mapping_reader keys{errors, m.value, field};
    if (!keys.is_good()) return;
    document_rule out;
    out.name = m.key;
    keys.require("parse", "json, embedded_json, structured, html or xml");
    out.parse = keys.choice("parse", kinds).value_or(document_rule::kind::json);
    switch (out.parse) {
    case document_rule::kind::json:
        out.is_lenient = keys.boolean("lenient").value_or(false);
        break;
    case document_rule::kind::embedded_json:
        out.script_ids = keys.texts("script_id").value_or(std::vector<std::string>{});
        out.assignments = keys.texts("assignment").value_or(std::vector<std::string>{});
        out.is_lenient = keys.boolean("lenient").value_or(false);
        if (out.script_ids.empty() && out.assignments.empty())
            errors.add(m.value, field, "expected script_id, assignment or both");
        break;
    case document_rule::kind::structured: {
        const bool has_syntax =
            keys.require("syntax", "json_ld, microdata, opengraph, state or visible") != nullptr;
        out.syntax = keys.choice("syntax", syntaxes).value_or(document_rule::syntax_kind::json_ld);
        const bool has_types = has_syntax && (out.syntax == document_rule::syntax_kind::json_ld ||
                                              out.syntax == document_rule::syntax_kind::microdata);
        if (has_types) out.types = keys.texts("type").value_or(std::vector<std::string>{});
        if (out.syntax == document_rule::syntax_kind::json_ld)
            out.is_lenient = keys.boolean("lenient").value_or(true);
        break;
    }
    case document_rule::kind::html:
    case document_rule::kind::xml:
        break;
    }
    keys.finish();
    context.plan.documents.push_back(std::move(out));
}

std::optional<std::size_t> parse_document_name(parse_context& context, mapping_reader& keys) {
    const auto name = keys.text("from", 64);
    if (!name) return std::nullopt;
    const auto index = context.document_index(*name);
    if (!index)
        context.errors.expected(*keys.node().find("from"), keys.path("from"),
                                fmt::format("one of the documents {}", context.document_names()));
    return index;
}

} // namespace

void parse_documents(parse_context& context, const yaml_node& section) {
    if (!section.is_mapping() || section.members.empty() || section.members.size() > most_documents) {
        context.errors.expected(section, "documents", "a mapping of 1 to 20 names, like body: {parse: json}");
        return;
    }
    for (const auto& m : section.members)
        parse_document(context, m);
    auto& plan = context.plan;
    plan.json_document = plan.tree = plan.documents.size();
    for (std::size_t i = plan.documents.size(); i-- > 0;)
        (plan.documents[i].is_tree() ? plan.tree : plan.json_document) = i;
    if (plan.json_document == plan.documents.size())
        plan.json_document = 0; // a tree: paths find nothing in it
    plan.pages.document = plan.json_document;
    plan.pages.tree = plan.tree;
}

void parse_records(parse_context& context, const yaml_node& section) {
    auto& errors = context.errors;
    mapping_reader keys{errors, section, "records"};
    if (!keys.is_good()) return;
    auto& out = context.plan.records;
    out.is_given = true;
    if (const auto names = keys.texts("first_of")) {
        for (const auto& name : *names)
            if (const auto index = context.document_index(name))
                out.first_of.push_back(*index);
            else
                errors.add(*section.find("first_of"), "records.first_of",
                           fmt::format("\"{}\" is none of the documents {}", excerpt(name),
                                       context.document_names()));
        constexpr std::array<std::pair<std::string_view, bool>, 2> merges{
            {{"none", false}, {"missing_fields", true}}};
        out.merges = keys.choice("merge", merges).value_or(false);
        if (names->empty())
            errors.expected(*section.find("first_of"), "records.first_of", "names of documents");
        keys.finish();
        return;
    }
    out.document = parse_document_name(context, keys).value_or(0);
    const bool is_tree =
        out.document < context.plan.documents.size() && context.plan.documents[out.document].is_tree();
    if (const auto* way = keys.take("path")) {
        if (is_tree) errors.add(*way, "records.path", "is for JSON: expected css or xpath for a page");
        if (auto parsed = parse_path(errors, *way, "records.path")) out.ways.push_back(std::move(*parsed));
    }
    if (const auto* ways = keys.take("any_of")) {
        if (!ways->is_sequence() || is_tree)
            errors.expected(*ways, "records.any_of", "a list of paths, for JSON");
        for (std::size_t i = 0; i < ways->items.size(); ++i)
            if (auto parsed = parse_path(errors, ways->items[i], child("records.any_of", i)))
                out.ways.push_back(std::move(*parsed));
    }
    if (out.ways.empty()) out.ways.emplace_back(); // the document itself
    if (section.find("css") != nullptr || section.find("xpath") != nullptr) {
        out.rows = parse_fixed_selector(context, keys);
        if (!is_tree)
            errors.add(section, "records", "css and xpath need a document with parse: html or xml in `from`");
    }
    keys.finish();
}

void parse_follow(parse_context& context, const yaml_node& section) {
    auto& errors = context.errors;
    if (!section.is_sequence() || section.items.empty() || section.items.size() > 10) {
        errors.expected(section, "follow", "a list of 1 to 10 rules {from: …, css: …, source: …, input: …}");
        return;
    }
    for (std::size_t i = 0; i < section.items.size(); ++i) {
        mapping_reader keys{errors, section.items[i], child("follow", i)};
        if (!keys.is_good()) continue;
        follow_rule out;
        out.document = parse_document_name(context, keys).value_or(0);
        const auto* way = keys.take("path");
        auto what = parse_fixed_selector(context, keys);
        if (what)
            out.from = std::move(*what);
        else if (way != nullptr)
            if (auto parsed = parse_path(errors, *way, keys.path("path"))) out.from = std::move(*parsed);
        if ((way == nullptr) == !keys.node().find("css") && !keys.node().find("xpath"))
            errors.add(keys.node(), keys.field(), "expected one of css, xpath and path");
        keys.require("source", "the id of the source that the links are for");
        out.source = keys.text("source", 100).value_or("");
        keys.require("input", "the name of its input that takes the link");
        out.input = keys.text("input", 64).value_or("");
        out.hand_on = keys.texts("hand_on").value_or(std::vector<std::string>{});
        for (const auto& name : out.hand_on) {
            const auto is_it = [&](const auto& in) { return in.name == name; };
            const auto& inputs = context.source.inputs;
            if (std::none_of(inputs.begin(), inputs.end(), is_it) || name == out.input)
                errors.expected(*keys.node().find("hand_on"), keys.path("hand_on"),
                                "names of inputs of this source, but not the one that takes the link");
        }
        if (const auto* matching = keys.node().find("matching");
            matching != nullptr && matching->is_scalar() && matching->text.starts_with("{{")) {
            keys.take("matching");
            const auto compiled = text_template::compile(matching->text, context.names());
            const auto input = compiled ? compiled->lone_input() : std::nullopt;
            if (input)
                out.matching_input = *input;
            else
                errors.expected(*matching, keys.path("matching"), "globs, or {{ input.x }}");
        } else {
            out.matching = keys.texts("matching").value_or(std::vector<std::string>{});
        }
        keys.finish();
        context.plan.follow.push_back(std::move(out));
    }
}

} // namespace tiktrend::sources
