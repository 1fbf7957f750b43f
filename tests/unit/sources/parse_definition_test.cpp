// Every mistake is told with its place, and nothing that this version does not read is passed over in
// silence.
#include "smallest_definition.hpp"
#include "sources_fixture.hpp"

#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;
using namespace tiktrend::testing;

TEST_CASE("the smallest definition has the defaults of its format", "[unit][sources][definition]") {
    const auto source = define_yaml(good);
    CHECK(source->id == "test.shop");
    CHECK(source->version == 1);
    CHECK(source->kind == record_kind::product);
    CHECK(source->file == "test.yaml");
    CHECK_FALSE(source->retired);
    CHECK(source->limits.max_pages == 100);
    CHECK(source->limits.max_bytes == 8 << 20);
    CHECK(source->politeness.obey_robots);
    CHECK(source->politeness.delay == std::chrono::seconds{1});
    CHECK(source->politeness.concurrency == 1);
    CHECK_FALSE(source->conditional);
}

TEST_CASE("every section of a definition is read", "[unit][sources][definition]") {
    const auto source = define_yaml(R"(
format: 1
id: site.trends
version: 7
kind: trend
about: What is in fashion
retired: {since: 2026-06-09, note: page withdrawn by the site}
input:
  country: {type: string, pattern: "^[A-Z]{2}$", default: US}
  days: {type: integer, enum: [7, 30, 120], default: 7}
secrets: [cookie]
hosts: [ads.site.example, "*.cdn.example"]
limits: {max_pages: 25, max_items: 500, max_bytes: 4MiB, deadline: 5m}
politeness: {robots: {ignore: written permission of the site}, delay: 2s, concurrency: 3}
request:
  url: https://ads.site.example/api/list
  query: {last: "{{ input.days }}", page: "{{ page.number }}", limit: 20, country: "{{ input.country }}"}
  headers: {accept: application/json, cookie: "{{ secret.cookie }}"}
pages: {by: number, start: 1, more: [data, pagination, has_more], stop_on_repeat: true}
documents: {body: {parse: json}}
outcomes:
  - {when: {status: 404}, is: retired}
  - {when: {redirect_to: "*/login*"}, is: login_required}
  - {when: {content_type: "text/html*"}, is: blocked}
  - {when: {body: empty}, is: blocked}
  - {when: {path: [code], in: [40101, 50004]}, is: login_required}
  - {when: {path: [code], equals: 40000}, is: invalid, message: [msg]}
  - {when: {path: [type], equals: verify}, is: blocked}
  - {when: {path: [code], not: 0}, is: transient, message: [msg]}
  - {when: {path: [data, list], is: empty_array, page: 1}, is: empty}
records: {from: body, path: [data, list]}
key: [field:category_id, input:country, input:days]
fields:
  title:       {any_of: [[third, value], [second, value], [url_title]], required: true}
  category_id: {path: [third, id], type: text, required: true}
  categories:  {each: [[first, value], [second, value], [third, value]], type: list}
  image:       {path: [cover_url], type: url}
  popularity:  {path: [post], type: count}
  growth_pct:  {path: [post_change], type: decimal}
  metrics:     {object: {ctr: [ctr], cvr: [cvr]}}
  price:       {none: true}
validate: {min_valid: 90%}
)");
    CHECK(source->version == 7);
    CHECK(source->kind == record_kind::trend);
    CHECK(source->retired->since == "2026-06-09");
    CHECK(source->retired->note == "page withdrawn by the site");
    CHECK(source->secrets == std::vector<std::string>{"cookie"});
    CHECK(source->hosts.size() == 2);
    CHECK(source->limits.max_items == 500);
    CHECK(source->limits.max_bytes == 4 << 20);
    CHECK(source->limits.deadline == std::chrono::minutes{5});
    CHECK_FALSE(source->politeness.obey_robots);
    CHECK(source->politeness.robots_reason == "written permission of the site");
    CHECK(source->politeness.concurrency == 3);
    CHECK(source->inputs[1].choices == std::vector<std::string>{"7", "30", "120"});
}

TEST_CASE("the recorded trend page is read by the shape that the site had", "[unit][sources][samples]") {
    const auto body = sample("tiktok/creative-center-top-products.json");
    if (!body) {
        WARN("skipped: no ../shared/samples/tiktok beside the repository");
        return;
    }
    const auto source = define_yaml(R"(
format: 1
id: site.trends
kind: trend
request: {url: "https://ads.site.example/api/list"}
pages: {by: number, more: [data, pagination, has_more]}
documents: {body: {parse: json}}
outcomes:
  - {when: {path: [type], equals: verify}, is: blocked}
  - {when: {path: [statusCode], not: 0}, is: transient}
  - {when: {path: [code], not: 0}, is: transient, message: [msg]}
records: {from: body, path: [data, list]}
key: [field:category_id]
fields:
  title:       {any_of: [[third_ecom_category, value], [url_title]], required: true}
  category_id: {path: [third_ecom_category, id], type: text, required: true}
  image:       {path: [cover_url]}
  popularity:  {path: [post]}
  growth_pct:  {path: [post_change], type: decimal}
  metrics:     {object: {ctr: [ctr], cost: [cost], views: [impression]}}
  price:       {none: true}
)");
    const auto page = read(*source, *body);
    REQUIRE(page.outcome == outcome::ok);
    CHECK(page.next->number == 2);
    const auto& first = page.records.front();
    CHECK(first.key == "919048");
    CHECK(first.text("title") == "Sugar & Sweeteners");
    CHECK(first.integer("popularity") == 17);
    CHECK_FALSE(first.text("image"));
    CHECK_FALSE(first.lowest_price());
    CHECK(first.extra ==
          R"({"category_id":"919048","growth_pct":"-11.11","metrics":{"ctr":8.27,"cost":10,"views":1210}})");
    CHECK(read(*source, sample("tiktok/error-captcha.json").value()).outcome == outcome::blocked);
    CHECK(read(*source, sample("tiktok/error-user-info.json").value()).outcome == outcome::transient);
}

TEST_CASE("parser trap 7: YAML beyond plain mappings, lists and scalars is refused with its place",
          "[unit][sources][definition]") {
    CHECK(mistakes_of("") == " the file is empty");
    CHECK(mistakes_of("a: &x 1") == "1:4: anchors (&name) are not allowed: write the value out");
    CHECK(mistakes_of("a: &x 1\nb: *x").find("anchors") != std::string::npos);
    CHECK(mistakes_of("a:\n  - *x").find("2:5: ") == 0);
    CHECK(mistakes_of("a: !!str 1").find("tags are not allowed") != std::string::npos);
    CHECK(mistakes_of("a: !python/object:os.system 1").find("tags are not allowed") != std::string::npos);
    CHECK(mistakes_of("a: 1\nb: 2\na: 3") == "3:1: key \"a\" is given twice, first on line 1");
    CHECK(mistakes_of("a: 1\n---\nb: 2") == "3:1: a file holds one document; this is a second one");
    CHECK(mistakes_of("a: [1, 2").find("not YAML") != std::string::npos);
    CHECK(mistakes_of("a:\n\t- 1").find("2:") == 0);
    CHECK(mistakes_of("? [a, b]\n: 1").find("a key must be plain text") != std::string::npos);
    CHECK(mistakes_of("- 1\n- 2") == "1:1: expected a mapping, found a list");
    CHECK(mistakes_of(std::string("a: \0b", 5)) == " the file is not UTF-8 text");
    CHECK(mistakes_of("a: \xFF") == " the file is not UTF-8 text");
    CHECK(mistakes_of("a: " + std::string(max_definition_bytes, 'x')).find("at most 262144 are read") !=
          std::string::npos);
    CHECK(mistakes_of(std::string(200, '[') + std::string(200, ']')).find("nested deeper than 64 levels") !=
          std::string::npos);
    CHECK(mistakes_of(std::string(100'000, '[')).find("f") == std::string::npos); // any answer, but an answer
}

TEST_CASE("scalars are text: nothing is guessed from how they look", "[unit][sources][definition]") {
    CHECK(mistakes_of(with("kind: product", "kind: yes")) ==
          "3:7: kind: expected one of product, trend, found \"yes\"");
    CHECK(mistakes_of(with("format: 1", "format: 01")) == "1:9: format: expected 1, found \"01\"");
}

TEST_CASE("mistakes name line, column, field, what was found and what is expected",
          "[unit][sources][definition]") {
    struct row {
        std::string from;
        std::string to;
        std::string expected;
    };
    const auto c = GENERATE(values<row>({
        {"format: 1", "format: 2", "1:9: format: expected 1, found \"2\""},
        {"format: 1\n", "", "1:1: format: is missing: expected 1"},
        {"id: test.shop", "id: Test Shop",
         "2:5: id: expected names of lower-case letters, digits and underscores, joined by points, found "
         "\"Test Shop\""},
        {"kind: product\n", "", "1:1: kind: is missing: expected product or trend"},
        {"kind: product", "kind: product\nversion: one",
         "4:10: version: expected an integer from 1 to 1000000, found \"one\""},
        {"kind: product", "kind: product\nversion: \"2\"",
         "4:10: version: expected an integer from 1 to 1000000, found \"2\""},
        {"kind: product", "kind: product\nretired: {since: soon}",
         "4:18: retired.since: expected a date, yyyy-mm-dd, found \"soon\""},
        {"kind: product", "kind: product\ncolour: red",
         "4:1: colour: unknown key; expected one of format, id, version"},
        {"kind: product", "kind: product\nsession: per-job",
         "4:10: session: expected one of none, per_job, found \"per-job\""},
        {"kind: product", "kind: product\nhosts: [\"a b\"]", "4:8: hosts: expected lower-case host names"},
        {"kind: product", "kind: product\nsecrets: [API-Key]",
         "4:10: secrets: expected names of lower-case letters"},
        {"kind: product", "kind: product\nlimits: {max_pages: 0}",
         "4:21: limits.max_pages: expected an integer from 1 to 100000, found \"0\""},
        {"kind: product", "kind: product\nlimits: {max_bytes: 8MB}",
         "4:21: limits.max_bytes: expected bytes from 1024 to 268435456"},
        {"kind: product", "kind: product\nlimits: {deadline: 30}",
         "4:20: limits.deadline: expected a duration with a unit"},
        {"kind: product", "kind: product\nlimits: {pages: 3}",
         "4:10: limits.pages: unknown key; expected one of max_pages, max_items, max_bytes, deadline"},
        {"kind: product", "kind: product\npoliteness: {robots: ignore}",
         "4:22: politeness.robots: expected obey or {ignore: <reason>}, found \"ignore\""},
        {"kind: product", "kind: product\npoliteness: {robots: {ignore: \"\"}}",
         "4:31: politeness.robots.ignore: expected text of 1 to 500 bytes, found \"\""},
        {"kind: product", "kind: product\npoliteness: {concurrency: many}",
         "4:27: politeness.concurrency: expected an integer from 1 to 64"},
        {"kind: product", "kind: product\nvalidate: {min_valid: 90}",
         "4:23: validate.min_valid: expected a percentage from 0% to 100%, found \"90\""},
        // input
        {"{type: host}", "{type: hostname}",
         "4:22: input.shop.type: expected one of string, integer, bool, currency, host, origin, url, css, "
         "found \"hostname\""},
        {"{type: host}", "{}", "4:15: input.shop: expected a type or an enum"},
        {"{shop:", "{Shop:",
         "4:9: input.Shop: expected a name of lower-case letters, digits and underscores"},
        {"{type: host}", "{type: host, default: \"a/b\"}",
         "4:37: input.shop.default: \"a/b\": Input should be a host name"},
        {"{type: host}", "{type: host, pattern: x}",
         "4:28: input.shop.pattern: unknown key; expected one of type, about, optional, hosts, enum, "
         "default"},
        {"{type: host}", "{type: string, pattern: \"(\"}",
         "4:39: input.shop.pattern: expected a regular expression (RE2 syntax): missing ): ("},
        {"{type: host}", "{type: string, pattern: \".{1,1000}{1,1000}\"}",
         "4:39: input.shop.pattern: expected a regular expression (RE2 syntax)"},
        {"{type: host}", "{type: integer, min: 3, max: 2}", "4:15: input.shop: min is above max"},
        {"{type: host}", "{type: host, default: a.example, optional: true}",
         "4:15: input.shop: is optional and has a default: choose one"},
        {"{type: host}", "{type: css, default: \"a[\"}",
         "4:36: input.shop.default: \"a[\": Input should be a CSS selector"},
        // request
        {"request: {url: \"https://{{ input.shop }}/list\"}\n", "",
         "1:1: request: is missing: expected {url: …}"},
        {"input.shop", "input.store",
         "5:16: request.url: unknown variable \"input.store\"; expected input.shop, page.number, "
         "page.offset, "
         "page.index, cursor"},
        {"{{ input.shop }}", "{{ input.shop | shout }}",
         "5:16: request.url: unknown filter \"shout\"; expected trim, lower, upper, path_segment, "
         "query_value"},
        {"{{ input.shop }}", "{{ input.shop", "5:16: request.url: \"{{\" without \"}}\" after it"},
        {"{{ input.shop }}", "{{ row.x }}", "5:16: request.url: unknown variable \"row.x\""},
        {"{{ input.shop }}", "{% if x %}",
         "5:16: request.url: templates only substitute: \"{%\" is not understood"},
        {"https://{{ input.shop }}", "ftp://{{ input.shop }}",
         "5:16: request.url: expected a URL that begins with https://"},
        {"https://{{ input.shop }}", "{{ input.shop }}",
         "5:16: request.url: begins with a variable that is no input of type url or origin"},
        {"https://{{ input.shop }}", "https://user@{{ input.shop }}",
         "5:16: request.url: holds user information"},
        {"{type: host}", "{type: host, optional: true}",
         "5:16: request.url: input.shop is optional: a URL needs a value"},
        {"/list\"}", "/list\", method: PUT}",
         "5:57: request.method: expected one of GET, POST, found \"PUT\""},
        {"/list\"}", "/list\", method: GET, body: {text: x}}",
         "5:68: request.body: goes with method POST only"},
        {"/list\"}", "/list\", body: {text: x, form: {a: b}}}",
         "5:55: request.body: expected one of json, form and text"},
        {"/list\"}", "/list\", headers: {Host: x}}",
         "5:59: request.headers.Host: this header belongs to the fetcher"},
        {"/list\"}", "/list\", headers: {\"a b\": x}}", "5:59: request.headers.a b: expected a header name"},
        {"/list\"}", "/list\", query: {a: [1]}}",
         "5:60: request.query.a: expected text of at most 2000 bytes, found a list"},
        {"/list\"}", "/list\", conditional: yes}",
         "5:62: request.conditional: expected true or false, found \"yes\""},
        // pages
        {"documents:", "pages: {by: cursor}\ndocuments:",
         "6:8: pages.next: is missing: expected where the next cursor stands"},
        {"documents:", "pages: {by: magic}\ndocuments:",
         "6:13: pages.by: expected one of number, offset, cursor, link, header, found \"magic\""},
        {"documents:", "pages: {by: number}\ndocuments:",
         "6:8: pages: nothing ends the pages: expected until, more, last or stop_on_repeat: true"},
        {"documents:", "pages: {by: number, until: {path: [a]}}\ndocuments:",
         "6:35: pages.until.path: expected exactly one of equals, not, in, is, matches beside it"},
        {"documents:", "pages: {by: number, until: {is: empty}}\ndocuments:",
         "6:28: pages.until: path: missing: expected a path"},
        {"documents:", "pages: {by: number, next: {css: a}, max: 3, stop_on_repeat: true}\ndocuments:",
         "6:21: pages.next: unknown key; expected one of by"},
        {"documents:", "pages: {by: offset, total: [n]}\ndocuments:",
         "6:8: pages.step: is missing: expected how many items a page has"},
        {"documents:", "pages: {by: link, next: {css: a}}\ndocuments:",
         "6:31: pages.next.css: there is no document to look in: expected one with parse: html or xml"},
        // documents, records, key
        {"{parse: json}", "{parse: html}",
         "7:29: records.path: is for JSON: expected css or xpath for a page"},
        {"{parse: json}", "{parse: csv}",
         "6:27: documents.body.parse: expected one of json, embedded_json, structured, html, xml, found "
         "\"csv\""},
        {"{parse: json}", "{parse: embedded_json}",
         "6:19: documents.body: expected script_id, assignment or both"},
        {"{parse: json}", "{parse: structured, syntax: rdfa}",
         "6:47: documents.body.syntax: expected one of json_ld, microdata, opengraph, state, visible"},
        {"{parse: json}", "{parse: json, script_id: x}",
         "6:33: documents.body.script_id: unknown key; expected one of parse, parse, lenient"},
        {"{from: body", "{from: page",
         "7:17: records.from: expected one of the documents body, found \"page\""},
        {"path: [rows]}", "css: div}", "7:28: records.css: there is no document to look in"},
        {"path: [rows]", "path: rows",
         "7:29: records.path: expected a path: a list of steps or a JSON Pointer (\"/a/0\"), found \"rows\""},
        {"path: [rows]", "path: /rows~2", "7:29: records.path: expected a JSON Pointer (RFC 6901)"},
        {"path: [rows]", "path: [[a]]", "7:30: records.path[0]: expected a step: a key, an index"},
        {"path: [rows]", "path: [{where: x}]",
         "7:38: records.path[0].where: expected a mapping of member names to texts, found \"x\""},
        {"path: [rows]", "path: [{like: x}]", "7:30: records.path[0]: expected one of key, key_like, where"},
        {"[field:id]", "[id]", "8:7: key[0]: expected field:<name> or input:<name>, found \"id\""},
        {"[field:id]", "[field:sku]",
         "8:7: key[0]: expected the name of a field with one value, found \"field:sku\""},
        {"[field:id]", "[input:x]",
         "8:7: key[0]: expected the name of an input that always has a value, found \"input:x\""},
        {"[field:id]", "[]",
         "8:6: key: expected a list of 1 to 8 of field:<name> and input:<name>, found a list"},
        // fields
        {"  id:", "  key: {path: [k]}\n  id:", "10:3: fields.key: this name is taken by the record's key"},
        {"  title:", "  Title:", "11:3: fields.Title: expected a name of lower-case letters"},
    }));
    CAPTURE(c.to);
    const auto found = mistakes_of(with(c.from, c.to));
    INFO(found);
    CHECK(found.find(c.expected) != std::string::npos);
}
