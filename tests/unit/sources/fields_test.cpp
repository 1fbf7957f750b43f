// From a row to a record: every kind of step, source, cleaner, reduction and condition.
#include "sources_fixture.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

/// A field under another name than x, for canonical ones.
std::string canonical(std::string_view name, std::string_view rule, std::string_view row) {
    parts p;
    p.fields += "  " + std::string{name} + ": " + std::string{rule} + "\n";
    return record_of(*define(p), row);
}

} // namespace

TEST_CASE("every kind of step leads where it says", "[unit][sources][path]") {
    const auto row = R"({"id":1,"a":{"b":[10,20,30],"0":"zero","x/y":"slash","m~n":"tilde","*":"star"},
        "shop/pdp/(slug$)/(id)/page":{"v":"found"},"parts":[{"kind":"a","v":1},{"kind":"b","v":2,"n":7},{"kind":"b","v":3,"n":8}]})";
    const auto at = [&](std::string_view path) { return field_of("{path: " + std::string{path} + "}", row); };
    CHECK(at("[a, b, 0]") == "10");
    CHECK(at("[a, b, 2]") == "30");
    CHECK(at("[a, b, -1]") == "30");
    CHECK(at("[a, b, -3]") == "10");
    CHECK(at("[a, b, 3]") == "nothing");
    CHECK(at("[a, b, -4]") == "nothing");
    CHECK(at("[a, \"0\"]") == "\"zero\"");
    CHECK(at("[a, 0]") == "nothing"); // an index does not name a member
    CHECK(at("[a, {key: \"*\"}]") == "\"star\"");
    CHECK(at("[a, b, \"*\"]") == "10"); // the first of all
    CHECK(at("[{key_like: \"*pdp*(id)/page\"}, v]") == "\"found\"");
    CHECK(at("[{key_like: \"*nowhere*\"}, v]") == "nothing");
    CHECK(at("[parts, {where: {kind: b}}, v]") == "2");
    CHECK(at("[parts, {where: {kind: b, n: 8}}, v]") == "3");
    CHECK(at("[parts, {where: {kind: c}}, v]") == "nothing");
    CHECK(at("[parts, 0, {where: {kind: a}}, v]") == "1");
    CHECK(at("/a/b/1") == "20");
    CHECK(at("/a/0") == "\"zero\"");
    CHECK(at("/a/x~1y") == "\"slash\"");
    CHECK(at("/a/m~0n") == "\"tilde\"");
    CHECK(at("/a/b/01") == "nothing");
    CHECK(at("/a/b/-") == "nothing");
    CHECK(at("[nothing, at, all]") == "nothing");
    CHECK(at("[id, deeper]") == "nothing");
    CHECK(field_of("{path: [a, b, \"*\"], type: list}", row) == R"(["10","20","30"])");
    CHECK(field_of("{path: [parts, \"*\", v], reduce: sum, type: count}", row) == "6");
    CHECK(field_of("{path: [parts, {where: {kind: b}}, v], reduce: sum, type: count}", row) == "5");
}

TEST_CASE("rows are the elements of a list, one object, or all that a wildcard finds",
          "[unit][sources][path]") {
    const auto keys = [](const std::string& records, std::string_view body) {
        parts p;
        p.records = records;
        const auto page = read(*define(p), body);
        std::string out;
        for (const auto& r : page.records)
            out += r.key + " ";
        return out;
    };
    CHECK(keys("{from: body, path: [a]}", R"({"a":[{"id":1},{"id":2}]})") == "1 2 ");
    CHECK(keys("{from: body, path: [a]}", R"({"a":{"id":1}})") == "1 ");
    CHECK(keys("{from: body}", R"([{"id":1},{"id":2}])") == "1 2 ");
    CHECK(keys("{path: [\"*\", list]}", R"([{"list":[{"id":1}]},{"list":[{"id":2},{"id":3}]}])") == "1 2 3 ");
    CHECK(keys("{path: [a, \"*\"]}", R"({"a":{"x":{"id":1},"y":{"id":2}}})") == "1 2 ");
}

TEST_CASE("the first alternative with a value wins and is counted", "[unit][sources][fields]") {
    parts p;
    p.fields += "  x: {any_of: [[a], [b, c], {body: [fallback]}, {value: constant}]}\n";
    const auto source = define(p);
    const auto page = read(
        *source,
        R"({"fallback":"doc","rows":[{"id":1,"a":"A"},{"id":2,"a":null,"b":{"c":"C"}},{"id":3,"a":" "},{"id":4,"a":{"z":1}}]})");
    REQUIRE(page.records.size() == 4);
    CHECK(page.records[0].extra == R"({"id":"1","x":"A"})");
    CHECK(page.records[1].extra == R"({"id":"2","x":"C"})");
    CHECK(page.records[2].extra == R"({"id":"3","x":"doc"})");
    CHECK(page.records[3].extra == R"({"id":"4","x":"doc"})");
    CHECK(page.statistics.fields[1].name == "x");
    CHECK(page.statistics.fields[1].won == std::vector<std::int64_t>{1, 1, 2, 0});
    CHECK(page.statistics.fields[1].missing == 0);
}

TEST_CASE("a value that is refused leaves the field to the next alternative", "[unit][sources][fields]") {
    CHECK(field_of("{any_of: [[a], [b]], type: money, currency: EUR}", R"({"id":1,"a":"call us","b":"5"})") ==
          R"("5.00")");
    CHECK(field_of("{any_of: [[a], [b]], type: money, currency: EUR}", R"({"id":1,"a":"-5","b":null})") ==
          "nothing");
}

TEST_CASE("refused values are reported with what was found", "[unit][sources][fields]") {
    parts p;
    p.fields += "  x: {path: [x], type: count}\n";
    const auto page = read(*define(p), R"({"rows":[{"id":1,"x":"many"},{"id":2,"x":5}]})");
    CHECK(page.statistics.fields[1].rejected == 1);
    REQUIRE(page.statistics.problems.size() == 1);
    CHECK(page.statistics.problems[0].row == 0);
    CHECK(page.statistics.problems[0].field == "x");
    CHECK(page.statistics.problems[0].message == "\"many\" has no number");
}

TEST_CASE("fields without a type keep what JSON says", "[unit][sources][fields]") {
    CHECK(field_of("[x]", R"({"id":1,"x":"text"})") == R"("text")");
    CHECK(field_of("[x]", R"({"id":1,"x":123456789012345678901234567890})") ==
          "123456789012345678901234567890");
    CHECK(field_of("[x]", R"({"id":1,"x":1.50})") == "1.50");
    CHECK(field_of("[x]", R"({"id":1,"x":false})") == "false");
    CHECK(field_of("[x]", R"({"id":1,"x":{}})") == "nothing");
    CHECK(field_of("[x]", R"({"id":1,"x":)" + std::string(100, '1') + "}") == "nothing");
    CHECK(field_of("{path: [x], type: json}", R"({"id":1,"x":{"a":[1,"b",null]}})") ==
          R"({"a":[1,"b",null]})");
}

TEST_CASE("ids beyond 2^53 and numbers out of range are exact or nothing", "[unit][sources][fields]") {
    const auto source = define(parts{});
    const auto page =
        read(*source,
             R"({"rows":[{"id":9007199254740993},{"id":18446744073709551617},{"id":"9007199254740993x"}]})");
    CHECK(page.records[0].key == "9007199254740993");
    CHECK(page.records[1].key == "18446744073709551617");
    CHECK(field_of("{path: [x], type: decimal}", R"({"id":1,"x":1e999})") == "nothing");
    CHECK(field_of("{path: [x], type: decimal}", R"({"id":1,"x":1e3})") == R"("1000")");
    CHECK(field_of("{path: [x], type: text}", R"({"id":1,"x":1e999})") == R"("1e999")");
    // A database refuses these, and with them the whole page.
    for (const auto* number : {"1e999999", "-1E+400000", "1e-20000", "1e99999999999999999999"}) {
        INFO(number);
        const auto row = R"({"id":1,"x":)" + std::string{number} + R"(,"o":{"a":)" + number + "}}";
        CHECK(field_of("[x]", row) == "nothing");
        CHECK(field_of("{path: [o], type: json}", row) == R"({"a":null})");
        CHECK(field_of("{object: {a: [x], b: [id]}}", row) == R"({"a":null,"b":1})");
    }
    CHECK(field_of("[x]", R"({"id":1,"x":1.5e300})") == "1.5e300");
}

TEST_CASE("cleaners work in the order given", "[unit][sources][fields]") {
    CHECK(field_of("{path: [x], clean: [trim, collapse]}", R"({"id":1,"x":"  a \n b "})") == R"("a b")");
    CHECK(field_of("{path: [x], clean: [html_to_text]}", R"({"id":1,"x":"<p>a &amp; b</p>"})") ==
          R"("a & b")");
    CHECK(field_of("{path: [x], clean: [decode_entities, upper]}",
                   R"({"id":1,"x":"caf&eacute; &amp; tea"})") == R"("CAFé & TEA")");
    CHECK(field_of("{path: [x], clean: [{match: \"star-rating (\\\\w+)\"}, lower, {map: {one: 1, two: 2}}], "
                   "type: decimal}",
                   R"({"id":1,"x":"big star-rating Two"})") == R"("2")");
    CHECK(field_of("{path: [x], clean: [{match: \"(\\\\d+)\"}]}", R"({"id":1,"x":"none"})") == "nothing");
    CHECK(field_of("{path: [x], clean: [{map: {a: b}}]}", R"({"id":1,"x":"c"})") == "nothing");
    CHECK(field_of("{path: [x], max: 3}", R"({"id":1,"x":"äöüß"})") == R"("äöü")");
    CHECK(field_of("{path: [x]}", R"({"id":1,"x":"a\u0000b\u202Ec"})") == R"("abc")");
    CHECK(field_of("{path: [x]}", R"({"id":1,"x":"<script>alert(1)</script>"})") ==
          R"("<script>alert(1)</script>")");
    CHECK(field_of("{path: [x]}", "{\"id\":1,\"x\":\"" + std::string(1 << 20, 'x') + "\"}").size() == 4002);
}

TEST_CASE("lists come from arrays and from split text", "[unit][sources][fields]") {
    CHECK(canonical("tags", "{path: [t], split: \",\"}", R"({"id":1,"t":[" a ","","b",null,3,{"x":1}]})") ==
          R"({"key":"1","tags":["a","b","3"],"id":"1"})");
    CHECK(canonical("tags", "{path: [t], split: \",\"}", R"({"id":1,"t":"a, b,,c "})") ==
          R"({"key":"1","tags":["a","b","c"],"id":"1"})");
    CHECK(canonical("tags", "{path: [t]}", R"({"id":1,"t":"a, b"})") ==
          R"({"key":"1","tags":["a, b"],"id":"1"})");
    CHECK(canonical("tags", "{path: [t]}", R"({"id":1,"t":[]})") == R"({"key":"1","id":"1"})");
    CHECK(canonical("tags", "{path: [t], max: 2}", R"({"id":1,"t":["a","b","c"]})") ==
          R"({"key":"1","tags":["a","b"],"id":"1"})");
    CHECK(canonical("categories", "{each: [[a], [b], [c]]}", R"({"id":1,"a":"A","c":"C"})") ==
          R"({"key":"1","categories":["A","C"],"id":"1"})");
}

TEST_CASE("a sum that is out of range is nothing, whatever comes behind", "[unit][sources][fields]") {
    const std::string rule = "{any_of: [[x, \"*\"], [y]], type: count, reduce: sum}";
    CHECK(field_of(rule, R"({"id":1,"x":[9000000000000000000,9000000000000000000,5],"y":7})") == "nothing");
    CHECK(field_of(rule, R"({"id":1,"x":[1,2,5],"y":7})") == "8");
}

TEST_CASE("many values are reduced to one", "[unit][sources][fields]") {
    const auto row =
        R"({"id":1,"v":[{"p":"9.50","n":3,"ok":false},{"p":"10.00","n":4,"ok":true},{"p":"bad"},{"p":null}]})";
    CHECK(field_of("{path: [v, \"*\", p], type: money, reduce: min}", row) == R"("9.50")");
    CHECK(field_of("{path: [v, \"*\", p], type: money, reduce: max}", row) == R"("10.00")");
    CHECK(field_of("{path: [v, \"*\", p], type: money, reduce: sum}", row) == R"("19.50")");
    CHECK(field_of("{path: [v, \"*\", p], type: money}", row) == R"("9.50")");
    CHECK(field_of("{path: [v, \"*\", n], type: count, reduce: sum}", row) == "7");
    CHECK(field_of("{path: [v, \"*\", ok], type: bool, reduce: any}", row) == "true");
    CHECK(field_of("{path: [v, \"*\", ok], type: bool, reduce: first}", row) == "false");
    CHECK(field_of("{path: [v, \"*\", n], type: count, reduce: sum}",
                   R"({"id":1,"v":[{"n":9223372036854775807},{"n":1}]})") == "nothing");
    CHECK(field_of("{path: [v], type: time, reduce: max}", R"({"id":1,"v":"2024-01-01"})") ==
          R"("2024-01-01T00:00:00Z")");
}

TEST_CASE("prices know their currency, their range and their zero", "[unit][sources][fields]") {
    parts p;
    p.fields += "  currency: [c]\n  in_stock: [s]\n  price: {path: [p]}\n";
    const auto source = define(p);
    const auto price = [&](std::string_view members) {
        const auto page = read(*source, "{\"rows\":[{\"id\":1," + std::string{members} + "}]}");
        const auto& r = page.records.at(0);
        const std::string low{r.lowest_price().value_or("none")};
        const std::string high{r.highest_price().value_or("none")};
        return low == high ? low : low + " to " + high;
    };
    CHECK(price(R"("c":"EUR","p":"24.990")") == "24990.00");
    CHECK(price(R"("c":"CLP","p":24.990)") == "24990");
    CHECK(price(R"("c":"KWD","p":"24.990")") == "24.990");
    CHECK(price(R"("c":"eur","p":0.1)") == "0.10");
    CHECK(price(R"("p":"24.990")") == "none"); // without a currency it could be either
    CHECK(price(R"("c":"USD","p":"$24.17 - 24.69")") == "24.17 to 24.69");
    CHECK(price(R"("c":"USD","p":"0")") == "0.00");
    CHECK(price(R"("c":"USD","p":"0","s":false)") == "none");
    CHECK(price(R"("c":"USD","p":"0","s":true)") == "0.00");
    CHECK(price(R"("c":"USD","p":"-5")") == "none");
    CHECK(price(R"("c":"EURO","p":"5")") == "5.00");
    CHECK(field_of("{path: [p], type: money, zero: null}", R"({"id":1,"p":"0.00"})") == "nothing");
    CHECK(field_of("{path: [p], type: money, currency: JPY}", R"({"id":1,"p":"1,500"})") == R"("1500")");
    CHECK(canonical("price_max", "{path: [p], currency: USD}", R"({"id":1,"p":"$5 - $7"})") ==
          R"({"key":"1","price_max":"7.00","id":"1"})");
}

TEST_CASE("the decimal rule may come from an input", "[unit][sources][fields]") {
    parts p;
    p.input = "{decimal: {enum: [auto, comma, dot], default: auto}}";
    p.fields += "  price: {path: [p], decimal: \"{{ input.decimal }}\"}\n";
    const auto source = define(p);
    const auto price = [&](std::string_view input) {
        return record_of(*source, R"({"id":1,"p":"1.234"})", input);
    };
    CHECK(price("{}") == R"({"key":"1","id":"1"})");
    CHECK(price(R"({"decimal":"comma"})") == R"({"key":"1","price":"1234.00","id":"1"})");
    CHECK(price(R"({"decimal":"dot"})") == R"({"key":"1","price":"1.234","id":"1"})");
}

TEST_CASE("conditions drop values and defaults fill in", "[unit][sources][fields]") {
    parts p;
    p.fields += "  price: {path: [p], currency: EUR}\n  was_price: {path: [w], currency: EUR, drop_if: "
                "{not_above: field:price}}\n";
    const auto source = define(p);
    const auto was = [&](std::string_view row) {
        return record_of(*source, row).find("was_price") != std::string::npos;
    };
    CHECK(was(R"({"id":1,"p":"5","w":"6"})"));
    CHECK_FALSE(was(R"({"id":1,"p":"5","w":"5.00"})"));
    CHECK_FALSE(was(R"({"id":1,"p":"5","w":"4.99"})"));
    CHECK(was(R"({"id":1,"w":"4.99"})"));
    CHECK(field_of("{path: [x], drop_if: {equals: n/a}}", R"({"id":1,"x":"n/a"})") == "nothing");
    CHECK(field_of("{path: [x], type: count, default: 0}", R"({"id":1})") == "0");
    CHECK(field_of("{path: [x], type: count, default: 0}", R"({"id":1,"x":"many"})") == "0");
    CHECK(field_of("{path: [x], type: decimal, min: 0, max: 5}", R"({"id":1,"x":4.3})") == R"("4.3")");
    CHECK(field_of("{path: [x], type: decimal, min: 0, max: 5}", R"({"id":1,"x":43})") == "nothing");
    CHECK(field_of("{path: [x], type: decimal, min: 0, max: 5}", R"({"id":1,"x":-0.1})") == "nothing");
    CHECK(field_of("{none: true}", R"({"id":1,"x":5})") == "nothing");
}

TEST_CASE("urls are resolved against the page and templates escape what they take",
          "[unit][sources][fields]") {
    CHECK(canonical("image", "{path: [i]}", R"({"id":1,"i":"/a b.jpg"})") ==
          R"({"key":"1","image":"https://shop.example/a%20b.jpg","id":"1"})");
    CHECK(canonical("image", "{path: [i]}", R"-({"id":1,"i":"javascript:alert(1)"})-") ==
          R"({"key":"1","id":"1"})");
    CHECK(canonical("url",
                    "{template: \"https://shop.example/p/{{ row.handle | path_segment }}?v={{ row.id }}\"}",
                    R"({"id":1,"handle":"../a b/é"})") ==
          R"({"key":"1","url":"https://shop.example/p/..%2Fa%20b%2F%C3%A9?v=1","id":"1"})");
    CHECK(canonical("url", "{template: \"/p/{{ row.sub.handle }}\"}", R"({"id":1,"sub":{"handle":"x"}})") ==
          R"({"key":"1","url":"https://shop.example/p/x","id":"1"})");
    CHECK(canonical("url", "{template: \"/p/{{ row.handle }}\"}", R"({"id":1})") ==
          R"({"key":"1","id":"1"})");
    CHECK(canonical("url", "{value: \"{{ response.url }}\"}", R"({"id":1})") ==
          R"({"key":"1","url":"https://shop.example/list?page=1","id":"1"})");
    CHECK(canonical("title", "{template: \"{{ row.a }} ({{ row.b | upper }})\"}",
                    R"({"id":1,"a":"x","b":"y"})") == R"-({"key":"1","title":"x (Y)","id":"1"})-");
}

TEST_CASE("nested rows and objects become JSON", "[unit][sources][fields]") {
    const auto row =
        R"({"id":1,"cur":"USD","v":[{"sku":"a","p":"1,5","ok":true,"n":12345678901234567890},{"p":"2"},{"sku":"c","p":"x"}]})";
    parts p;
    p.fields += "  currency: [cur]\n";
    CHECK(field_of("{rows: [v], fields: {sku: {path: [sku], required: true}, price: {path: [p], type: "
                   "money}, ok: [ok], n: [n]}}",
                   row,
                   p) == R"([{"sku":"a","price":"1.50","ok":true,"n":12345678901234567890},{"sku":"c"}])");
    CHECK(field_of("{rows: [none], fields: {a: [a]}}", row, p) == "nothing");
    CHECK(field_of("{object: {a: [v, 0, sku], b: [v, 0, ok], c: [v, 0, n], d: [nothing], e: [v]}}", row, p) ==
          R"({"a":"a","b":true,"c":12345678901234567890})");
}

TEST_CASE("keys join their parts so that no two meet", "[unit][sources][fields]") {
    parts p;
    p.input = "{shop: {type: string}}";
    p.key = "[input:shop, field:id]";
    const auto source = define(p);
    const auto key = [&](std::string_view shop, std::string_view id) {
        return read(*source, "{\"rows\":[{\"id\":\"" + std::string{id} + "\"}]}",
                    "{\"shop\":\"" + std::string{shop} + "\"}")
            .records.at(0)
            .key;
    };
    CHECK(key("a", "b") == "a/b");
    CHECK(key("a/b", "c") == "a%2Fb/c");
    CHECK(key("a", "b/c") == "a/b%2Fc");
    CHECK(key("a%2Fb", "c") == "a%252Fb/c");
    const auto page =
        read(*source, "{\"rows\":[{\"id\":\"" + std::string(1100, 'x') + "\"}]}", R"({"shop":"a"})");
    CHECK(page.outcome == outcome::invalid);
    CHECK(page.statistics.problems.at(0).message == "the key is longer than 1024 bytes");
}

TEST_CASE("records give their values by name and as JSON", "[unit][sources][record]") {
    parts p;
    p.fields +=
        "  title: [t]\n  in_stock: [s]\n  sales_7d: [n]\n  rating: [r]\n  seen: {path: [d], type: time}\n";
    const auto page =
        read(*define(p),
             R"({"rows":[{"id":1,"t":"A \"b\"","s":true,"n":"2.9k","r":4.30,"d":"2024-05-06T07:08:09Z"}]})");
    const auto& r = page.records.at(0);
    CHECK(r.text("title") == "A \"b\"");
    CHECK(r.boolean("in_stock") == true);
    CHECK(r.integer("sales_7d") == 2900);
    CHECK(r.text("rating") == "4.3");
    CHECK_FALSE(r.text("sales_7d"));
    CHECK_FALSE(r.integer("title"));
    CHECK_FALSE(r.lowest_price());
    CHECK(r.extra == R"({"id":"1","seen":"2024-05-06T07:08:09Z"})");
    CHECK(
        to_json(r) ==
        R"({"key":"1","title":"A \"b\"","in_stock":true,"sales_7d":2900,"rating":"4.3","id":"1","seen":"2024-05-06T07:08:09Z"})");
    CHECK(canonical_fields().size() == 23);
}
