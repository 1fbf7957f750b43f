#include "definition_parser.hpp"
#include "input_checks.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, record_kind>, 2> kinds{{
    {"product", record_kind::product},
    {"trend", record_kind::trend},
}};

/// Names joined by points: "shopify.storefront".
bool is_definition_id(std::string_view id) noexcept {
    if (id.empty() || id.size() > 100) return false;
    while (true) {
        const auto dot = std::min(id.find('.'), id.size());
        if (!is_name(id.substr(0, dot))) return false;
        if (dot == id.size()) return true;
        id.remove_prefix(dot + 1);
    }
}

bool is_date(std::string_view text) noexcept {
    return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
           std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) == 8;
}

void parse_identity(parse_context& context, mapping_reader& keys) {
    auto& errors = context.errors;
    if (const auto* format = keys.require("format", "1");
        format != nullptr && !(format->is_scalar() && format->text == "1"))
        errors.expected(*format, "format", "1");
    if (const auto* id = keys.require("id", "a name like shop.kind"); id != nullptr) {
        if (id->is_scalar() && is_definition_id(id->text))
            context.source.id = id->text;
        else
            errors.expected(*id, "id",
                            "names of lower-case letters, digits and underscores, joined by points");
    }
    context.source.version = static_cast<int>(keys.integer("version", 1, 1'000'000).value_or(1));
    context.source.about = keys.text("about").value_or("");
    if (const auto kind = keys.choice("kind", kinds))
        context.source.kind = *kind;
    else if (keys.node().find("kind") == nullptr)
        errors.add(keys.node(), "kind", "is missing: expected product or trend");
    if (const auto* node = keys.take("retired")) {
        mapping_reader retired{errors, *node, "retired"};
        retirement out;
        retired.require("since", "a date");
        out.since = retired.text("since").value_or("");
        if (!out.since.empty() && !is_date(out.since))
            errors.expected(*node->find("since"), "retired.since", "a date, yyyy-mm-dd");
        out.note = retired.text("note").value_or("");
        retired.finish();
        context.source.retired = std::move(out);
    }
}

void parse_hosts(parse_context& context, mapping_reader& keys) {
    const auto hosts = keys.texts("hosts");
    if (!hosts) return;
    for (const auto& host : *hosts) {
        const auto name = std::string_view{host}.substr(host.starts_with("*.") ? 2 : 0);
        const bool is_good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '[' ||
                   c == ']' || c == ':';
        });
        if (!is_good)
            context.errors.add(*keys.node().find("hosts"), "hosts",
                               fmt::format("expected lower-case host names, \"*.\" before those that stand "
                                           "for all below, found \"{}\"",
                                           excerpt(host)));
    }
    context.source.hosts = *hosts;
}

void parse_secrets(parse_context& context, mapping_reader& keys) {
    const auto names = keys.texts("secrets");
    if (!names) return;
    if (!std::all_of(names->begin(), names->end(), [](const auto& n) { return is_name(n); }))
        context.errors.expected(*keys.node().find("secrets"), "secrets",
                                "names of lower-case letters, digits and underscores");
    context.source.secrets = *names;
}

void parse_key(parse_context& context, mapping_reader& keys) {
    const auto* section = keys.require("key", "a list of field:<name> and input:<name>");
    if (section == nullptr) return;
    constexpr std::string_view form = "a list of 1 to 8 of field:<name> and input:<name>";
    if (!section->is_sequence() || section->items.empty() || section->items.size() > 8) {
        context.errors.expected(*section, "key", form);
        return;
    }
    for (std::size_t i = 0; i < section->items.size(); ++i) {
        const auto& item = section->items[i];
        const auto field = child("key", i);
        key_part part;
        part.is_input = item.text.starts_with("input:");
        if (!item.is_scalar() || (!part.is_input && !item.text.starts_with("field:"))) {
            context.errors.expected(item, field, "field:<name> or input:<name>");
            continue;
        }
        const auto name = std::string_view{item.text}.substr(6);
        if (part.is_input) {
            const auto& inputs = context.source.inputs;
            const auto found =
                std::find_if(inputs.begin(), inputs.end(), [&](const auto& in) { return in.name == name; });
            if (found == inputs.end() || found->optional)
                context.errors.expected(item, field, "the name of an input that always has a value");
            part.input = name;
        } else {
            const auto& fields = context.plan.fields;
            const auto found =
                std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
            if (found == fields.end() || found->type == field_type::list || found->type == field_type::json ||
                found->form == field_rule::shape::nothing)
                context.errors.expected(item, field, "the name of a field with one value");
            part.field = static_cast<std::size_t>(found - fields.begin());
        }
        context.plan.key.push_back(std::move(part));
    }
}

void parse_validate(parse_context& context, mapping_reader& keys) {
    const auto* section = keys.take("validate");
    if (section == nullptr) return;
    mapping_reader validate{context.errors, *section, "validate"};
    if (const auto* node = validate.take("min_valid")) {
        auto text = node->is_scalar() ? std::string_view{node->text} : std::string_view{};
        const bool is_percent = text.ends_with('%');
        if (is_percent) text.remove_suffix(1);
        const auto value = to_integer(text);
        if (is_percent && value && *value >= 0 && *value <= 100)
            context.plan.min_valid_percent = static_cast<int>(*value);
        else
            context.errors.expected(*node, "validate.min_valid", "a percentage from 0% to 100%");
    }
    validate.finish();
}

/// `session: per_job`: cookies are kept from page to page of one job.
void parse_session(parse_context& context, mapping_reader& keys) {
    constexpr std::array<std::pair<std::string_view, bool>, 2> choices{{{"none", false}, {"per_job", true}}};
    context.source.keeps_cookies = keys.choice("session", choices).value_or(false);
}

/// Everything in the order in which sections need each other, which is not that of the file.
void parse_sections(parse_context& context, const yaml_node& root) {
    mapping_reader keys{context.errors, root, ""};
    if (!keys.is_good()) return;
    parse_identity(context, keys);
    if (const auto* input = keys.take("input")) parse_inputs(context, *input);
    parse_secrets(context, keys);
    parse_hosts(context, keys);
    parse_session(context, keys);
    if (const auto* limits = keys.take("limits")) parse_limits(context, *limits);
    if (const auto* politeness = keys.take("politeness")) parse_politeness(context, *politeness);
    if (const auto* request = keys.require("request", "{url: …}")) parse_request(context, *request);
    if (const auto* documents = keys.require("documents", "a mapping of names, like body: {parse: json}"))
        parse_documents(context, *documents);
    if (const auto* pages = keys.take("pages")) parse_pages(context, *pages);
    if (const auto* outcomes = keys.take("outcomes")) parse_outcomes(context, *outcomes);
    // A page of links alone (a sitemap) has no records.
    const auto* follow = keys.take("follow");
    const bool has_records =
        follow == nullptr || root.find("records") != nullptr || root.find("fields") != nullptr;
    if (has_records) {
        if (const auto* records = keys.require("records", "{from: <document>, path: <steps>}"))
            parse_records(context, *records);
        if (const auto* fields = keys.require("fields", "a mapping of field names"))
            parse_fields(context, *fields);
        parse_key(context, keys);
    }
    if (follow != nullptr) parse_follow(context, *follow);
    parse_validate(context, keys);
    if (const auto* tests = keys.take("tests")) parse_tests(context, *tests);
    keys.finish({{"budget", "use politeness"}});
}

} // namespace

std::optional<std::size_t> parse_context::document_index(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < plan.documents.size(); ++i)
        if (plan.documents[i].name == name) return i;
    return std::nullopt;
}

std::string parse_context::document_names() const {
    std::vector<std::string_view> out;
    for (const auto& d : plan.documents)
        out.push_back(d.name);
    return fmt::format("{}", fmt::join(out, ", "));
}

bool parse_context::has_tree() const noexcept {
    return std::any_of(plan.documents.begin(), plan.documents.end(),
                       [](const auto& d) { return d.is_tree(); });
}

bool parse_context::has_json() const noexcept {
    return std::any_of(plan.documents.begin(), plan.documents.end(),
                       [](const auto& d) { return !d.is_tree(); });
}

result<definition_ptr, std::vector<definition_error>> parse_definition(std::string_view file_name,
                                                                       std::string_view yaml_text) {
    mistakes errors{file_name};
    const auto root = load_yaml(file_name, yaml_text, errors.all());
    if (!root) return std::move(errors.all());

    auto source = std::make_shared<definition>();
    auto compiled = std::make_shared<plan>();
    source->file = file_name;
    parse_context context{errors, *source, *compiled};
    parse_sections(context, *root);
    if (errors.any()) {
        std::sort(errors.all().begin(), errors.all().end(), [](const auto& a, const auto& b) {
            return std::tie(a.line, a.column, a.field) < std::tie(b.line, b.column, b.field);
        });
        return std::move(errors.all());
    }
    source->input_schema = input_schema_of(source->inputs);
    source->test_count = compiled->tests.size();
    for (const auto& rule : compiled->follow)
        source->follows.push_back(rule.source);
    source->plan = std::move(compiled);
    return definition_ptr{std::move(source)};
}

} // namespace tiktrend::sources
