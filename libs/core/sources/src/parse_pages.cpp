// How a definition goes from page to page.
#include "definition_parser.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

using kind = paging_rule::kind;
using place = paging_rule::place;

constexpr std::int64_t most_pages = 100'000;

constexpr std::array<std::pair<std::string_view, kind>, 5> kinds{{
    {"number", kind::number},
    {"offset", kind::offset},
    {"cursor", kind::cursor},
    {"link", kind::link},
    {"header", kind::header},
}};

std::string lower(std::string text) {
    for (auto& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
}

/// A path, {header: name}, or {css: …, attr: …} where `may_select`.
place parse_place(parse_context& context, mapping_reader& keys, std::string_view key, bool may_select) {
    const auto* node = keys.take(key);
    if (node == nullptr) return {};
    const auto field = keys.path(key);
    if (!node->is_mapping()) {
        if (!context.has_json())
            context.errors.add(*node, field, "is a path, which needs a document that is JSON");
        if (auto way = parse_path(context.errors, *node, field)) return std::move(*way);
        return {};
    }
    mapping_reader inside{context.errors, *node, field};
    place out;
    const auto header = inside.text("header", 64);
    if (header) out = header_source{lower(*header)};
    if (may_select) {
        if (auto what = parse_fixed_selector(context, inside)) out = std::move(*what);
    }
    inside.finish();
    if (out.index() == 0 && !node->members.empty())
        context.errors.expected(*node, field,
                                may_select ? "a path, {header: …}, {css: …} or {xpath: …}"
                                           : "a path or {header: …}");
    return out;
}

} // namespace

void parse_pages(parse_context& context, const yaml_node& section) {
    mapping_reader keys{context.errors, section, "pages"};
    if (!keys.is_good()) return;
    auto& out = context.plan.pages;
    keys.require("by", "number, offset, cursor, link or header");
    out.by = keys.choice("by", kinds).value_or(kind::number);
    const bool counts = out.by == kind::number || out.by == kind::offset;
    if (counts) out.start = keys.integer("start", 0, 1'000'000).value_or(out.by == kind::number ? 1 : 0);
    if (out.by == kind::offset) {
        keys.require("step", "how many items a page has");
        out.step = keys.integer("step", 1, 100'000).value_or(1);
        out.total = parse_place(context, keys, "total", false);
    }
    if (out.by == kind::number) out.last = parse_place(context, keys, "last", false);
    if (out.by == kind::cursor || out.by == kind::link) {
        keys.require("next",
                     out.by == kind::cursor ? "where the next cursor stands" : "where the next link stands");
        out.next = parse_place(context, keys, "next", out.by == kind::link);
    }
    if (out.by == kind::header) out.relation = keys.text("rel", 64).value_or("next");
    if (const auto* until = keys.take("until")) {
        mapping_reader test{context.errors, *until, keys.path("until")};
        out.until = parse_value_test(context, test);
        if (!out.until && test.is_good())
            context.errors.add(*until, keys.path("until"), "expected a test: path with is, equals, …");
        test.finish();
    }
    if (const auto* more = keys.take("more")) out.more = parse_path(context.errors, *more, keys.path("more"));
    out.stop_on_repeat = keys.boolean("stop_on_repeat").value_or(false);
    out.max = keys.integer("max", 1, most_pages);
    keys.finish();
    const bool ends =
        out.until || out.more || out.last.index() != 0 || out.total.index() != 0 || out.stop_on_repeat;
    if (counts && !ends)
        context.errors.add(
            section, "pages",
            out.by == kind::number
                ? "nothing ends the pages: expected until, more, last or stop_on_repeat: true"
                : "nothing ends the pages: expected until, more, total or stop_on_repeat: true");
}

} // namespace tiktrend::sources
