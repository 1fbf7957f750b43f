#include "definition_parser.hpp"
#include "glob.hpp"

#include <algorithm>

namespace tiktrend::sources {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t most_pages = 100'000;

/// Headers that the fetcher owns; a definition cannot break framing, ask for other encodings or claim another
/// host.
constexpr std::array<std::string_view, 13> owned_headers{
    "host",    "connection",      "content-length", "transfer-encoding", "te",
    "upgrade", "accept-encoding", "keep-alive",     "if-none-match",     "if-modified-since",
    "expect",  "range",           "user-agent"};

bool is_header_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

void parse_query(parse_context& context, const yaml_node& section, const std::string& field,
                 const template_names& names) {
    if (!section.is_mapping()) {
        context.errors.expected(section, field, "a mapping of parameter names to texts");
        return;
    }
    for (const auto& m : section.members)
        if (auto value = parse_template(context, m.value, child(field, m.key), names))
            context.plan.request.query.emplace_back(m.key, std::move(*value));
}

void parse_headers(parse_context& context, const yaml_node& section, const std::string& field,
                   const template_names& names) {
    if (!section.is_mapping()) {
        context.errors.expected(section, field, "a mapping of header names to texts");
        return;
    }
    for (const auto& m : section.members) {
        std::string name = m.key;
        for (auto& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (!is_header_name(name)) {
            context.errors.add(m.line, m.column, child(field, m.key), "expected a header name");
        } else if (std::find(owned_headers.begin(), owned_headers.end(), name) != owned_headers.end()) {
            context.errors.add(m.line, m.column, child(field, m.key), "this header belongs to the fetcher");
        } else if (auto value = parse_template(context, m.value, child(field, m.key), names)) {
            context.plan.request.headers.push_back({std::move(name), std::move(*value)});
        }
    }
}

} // namespace

std::optional<text_template> parse_template(parse_context& context, const yaml_node& node,
                                            const std::string& field, const template_names& names) {
    if (!node.is_scalar() || node.text.size() > 2000) {
        context.errors.expected(node, field, "text of at most 2000 bytes");
        return std::nullopt;
    }
    auto compiled = text_template::compile(node.text, names);
    if (!compiled) {
        context.errors.add(node, field, compiled.error());
        return std::nullopt;
    }
    return std::move(*compiled);
}

void parse_limits(parse_context& context, const yaml_node& section) {
    mapping_reader keys{context.errors, section, "limits"};
    auto& out = context.source.limits;
    out.max_pages = keys.integer("max_pages", 1, most_pages).value_or(out.max_pages);
    out.max_items = keys.integer("max_items", 1, 10'000'000).value_or(out.max_items);
    out.max_bytes = keys.bytes("max_bytes", 1024, 256 << 20).value_or(out.max_bytes);
    out.deadline = keys.duration("deadline", 1s, 24h).value_or(out.deadline);
    keys.finish();
}

void parse_politeness(parse_context& context, const yaml_node& section) {
    mapping_reader keys{context.errors, section, "politeness"};
    auto& out = context.source.politeness;
    if (const auto* robots = keys.take("robots"); robots != nullptr && robots->is_mapping()) {
        mapping_reader ignore{context.errors, *robots, keys.path("robots")};
        out.obey_robots = false;
        ignore.require("ignore", "the reason why robots.txt does not apply");
        out.robots_reason = ignore.text("ignore", 500).value_or("");
        ignore.finish();
    } else if (robots != nullptr && !(robots->is_scalar() && robots->text == "obey")) {
        context.errors.expected(*robots, keys.path("robots"), "obey or {ignore: <reason>}");
    }
    out.delay = keys.duration("delay", 0ms, 1h).value_or(out.delay);
    out.concurrency = static_cast<int>(keys.integer("concurrency", 1, 64).value_or(out.concurrency));
    keys.finish();
}

void parse_request(parse_context& context, const yaml_node& section) {
    mapping_reader keys{context.errors, section, "request"};
    if (!keys.is_good()) return;
    auto names = context.names();
    names.secrets = &context.source.secrets;
    names.has_page = true;
    if (const auto* url = keys.require("url", "a URL"); url != nullptr) {
        if (!url->is_scalar() || url->text.size() > 2000) {
            context.errors.expected(*url, keys.path("url"), "a URL of at most 2000 bytes");
        } else if (auto compiled = url_template::compile(url->text, names)) {
            context.plan.request.url = std::move(*compiled);
        } else {
            context.errors.add(*url, keys.path("url"), compiled.error());
        }
    }
    if (const auto* query = keys.take("query")) parse_query(context, *query, keys.path("query"), names);
    if (const auto* headers = keys.take("headers"))
        parse_headers(context, *headers, keys.path("headers"), names);
    context.source.conditional = keys.boolean("conditional").value_or(false);
    constexpr std::array<std::pair<std::string_view, bool>, 2> methods{{{"GET", false}, {"POST", true}}};
    auto& request = context.plan.request;
    request.is_post = keys.choice("method", methods).value_or(section.find("body") != nullptr);
    if (const auto* body = keys.take("body")) {
        if (!request.is_post) context.errors.add(*body, keys.path("body"), "goes with method POST only");
        parse_body(context, *body, names);
    }
    if (request.is_post && context.source.conditional)
        context.errors.add(section, "request", "conditional goes with GET only");
    keys.finish();
}

} // namespace tiktrend::sources
