// Fuzz targets (libFuzzer) of everything that reads what shops and authors write. One program; the
// environment variable TIKTREND_FUZZ_TARGET names the target:
//
//     definition     a definition file
//     path           a JSON document, and a path in a definition that is followed in it
//     embedded_json  JSON in scripts: tags, assignments, lenient JSON
//     json_ld        a page with JSON-LD, microdata and Open Graph
//     money          prices, counts and currencies in text
//     html           bytes to text, text to a tree, selectors on it
//     robots         a robots.txt, and whether addresses may be asked
//
// Nothing may crash, hang or grow beyond the limits that the command line sets.
#include "html/encoding.hpp"
#include "html/html_document.hpp"
#include "html/raw_html.hpp"
#include "json_document.hpp"
#include "robots/robots_rules.hpp"
#include "structured/lenient_json.hpp"
#include "values/count.hpp"
#include "values/currency_sign.hpp"
#include "values/money.hpp"

#include <tiktrend/sources/page.hpp>

#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

using namespace tiktrend::sources;

namespace {

/// One that reads every kind of document, made once.
definition_ptr whole() {
    static const auto made = parse_definition("fuzz.yaml", R"(
format: 1
id: fuzz.page
kind: product
request: {url: "https://a.example/"}
documents:
  ld: {parse: structured, syntax: json_ld, type: [Product, Offer]}
  md: {parse: structured, syntax: microdata, type: [Product]}
  og: {parse: structured, syntax: opengraph}
  state: {parse: structured, syntax: state}
  seen: {parse: structured, syntax: visible}
  script: {parse: embedded_json, script_id: data, assignment: [window.X, __STATE__], lenient: true}
  page: {parse: html}
records: {first_of: [ld, md, og, state, seen, script, page], merge: missing_fields}
key: [field:title]
fields:
  title: {any_of: [{ld: [name]}, [name], {css: "h1, title"}], required: true}
  currency: {any_of: [{ld: [offers, "*", priceCurrency]}, {from_symbol: field:price}]}
  price: {any_of: [{ld: [offers, "*", price]}, {seen: [offers, 0, price]}, {script: [a, "*", {key_like: "p*"}]}], reduce: min}
  image: {any_of: [{ld: [image, 0]}, {xpath: "//img/@src"}]}
  in_stock: {any_of: [[offers, "*", availability]], type: availability}
)");
    return made.value();
}

definition_ptr listing() {
    static const auto made = parse_definition("fuzz.yaml", R"(
format: 1
id: fuzz.list
kind: product
request: {url: "https://a.example/"}
pages: {by: cursor, next: [next]}
documents: {body: {parse: json, lenient: true}}
records: {from: body, any_of: [[rows], [data, {key_like: "*list"}, {where: {a: b}}], /items/0, [-1]]}
key: [field:id]
fields:
  id: {path: [id], type: text, required: true}
  price: {any_of: [[price], [prices, "*", amount]], reduce: max}
  seen: {path: [t], type: time}
  tags: {path: [tags], split: ","}
  rest: {path: [rest], type: json}
  rows: {rows: [variants], fields: {n: {path: [n], type: count}, p: {path: [p], type: money, scale: [s]}}}
)");
    return made.value();
}

void read_with(const definition& source, std::string_view body, std::string_view type) {
    static page_reader reader;
    const auto inputs = validate_input(source, "{}");
    if (!inputs) return; // a fuzzed definition may want some
    response_view response;
    response.content_type = type;
    response.url = "https://a.example/p/1";
    response.body = body;
    const auto page = reader.read(source, *inputs, first_page(source), response);
    for (const auto& r : page.records) {
        const auto json = to_json(r);
        json_document again;
        if (again.parse(json) != json_status::ok) std::abort();
        if (json.find('\0') != std::string::npos || !simdjson::validate_utf8(json)) std::abort();
    }
    if (page.next && !page_state::from_json(page.next->to_json())) std::abort();
}

void fuzz_definition(std::string_view text) {
    const auto parsed = parse_definition("f", text);
    if (parsed) read_with(**parsed, R"({"rows":[{"id":1,"a":[1,2,{"b":"c"}]}]})", "application/json");
}

void fuzz_path(std::string_view text) {
    read_with(*listing(), text, "application/json");
    std::string yaml =
        "format: 1\nid: a.b\nkind: product\nrequest: {url: \"https://a.example/\"}\n"
        "documents: {body: {parse: json}}\nrecords: {from: body}\nkey: [field:id]\nfields:\n  id: ";
    const auto parsed = parse_definition("f", yaml.append(text.substr(0, 500)));
    if (parsed) read_with(**parsed, R"({"a":{"b":[1,{"c":"d"}],"e*":null},"":[[]]})", "application/json");
}

void fuzz_embedded(std::string_view text) {
    for (const auto& s : find_scripts(text)) {
        static_cast<void>(s.attribute("id"));
        static_cast<void>(assigned_json(s.text, "X"));
    }
    static_cast<void>(assigned_json(text, "X"));
    static_cast<void>(mend_json(text));
    read_with(*whole(), text, "text/html");
}

void fuzz_money(std::string_view text) {
    std::string storage;
    const auto valid = decode_text(text, "text/plain; charset=utf-8", storage).text;
    for (const auto rule : {decimal_rule::automatic, decimal_rule::dot, decimal_rule::comma})
        for (const int unit : {-1, 0, 2, 3}) {
            const auto price = price_from_text(valid, rule, unit);
            if (price && (price->low.is_negative() || price->high < price->low)) std::abort();
        }
    static_cast<void>(count_from_text(valid));
    static_cast<void>(currency_in(valid, "US"));
}

void fuzz_html(std::string_view text) {
    static html_document page;
    std::string storage;
    const auto decoded = decode_text(text, "", storage).text;
    if (!simdjson::validate_utf8(decoded.data(), decoded.size())) std::abort();
    static const auto what = *compile_css("div:not(.a) > [b^=c]:nth-child(2n+1), p:has(i)");
    for (const bool is_xml : {false, true}) {
        if (!(is_xml ? page.parse_xml(decoded) : page.parse_html(decoded))) continue;
        if (page.node_count() > html_document::max_nodes + 1) std::abort();
        static_cast<void>(page.first(what, page.root()));
        static_cast<void>(page.root().text());
    }
    const auto head = decoded.substr(0, decoded.find('\n'));
    for (const auto& selector : {compile_css(head), compile_xpath(head)})
        if (selector && page.parse_html(decoded)) static_cast<void>(page.first(*selector, page.root()));
}

void fuzz_robots(std::string_view text) {
    const auto rules = tiktrend::worker::robots_rules::parse(text, "TikTrendBot");
    const auto line = text.substr(0, text.find('\n'));
    for (const auto target : {std::string_view{"/"}, std::string_view{"/a/b?c=d"}, line})
        static_cast<void>(rules.allows(target));
    if (!rules.allows("/robots.txt")) std::abort();
    if (rules.size() > tiktrend::worker::robots_rules::max_rules) std::abort();
    if (rules.crawl_delay() && rules.crawl_delay()->count() < 0) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::map<std::string, std::function<void(std::string_view)>, std::less<>> targets{
        {"definition", fuzz_definition},
        {"path", fuzz_path},
        {"embedded_json", fuzz_embedded},
        {"json_ld", [](std::string_view t) { read_with(*whole(), t, "text/html"); }},
        {"money", fuzz_money},
        {"html", fuzz_html},
        {"robots", fuzz_robots},
    };
    static const auto* name = std::getenv("TIKTREND_FUZZ_TARGET");
    static const auto target = targets.find(name != nullptr ? name : "");
    if (target == targets.end()) {
        std::fprintf(stderr, "TIKTREND_FUZZ_TARGET: expected definition, path, embedded_json, json_ld, "
                             "money, html or robots\n");
        std::exit(2);
    }
    target->second({reinterpret_cast<const char*>(data), size});
    return 0;
}
