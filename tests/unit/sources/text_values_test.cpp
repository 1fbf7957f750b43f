// Values that are no numbers: times, stock, texts, links.
#include "glob.hpp"
#include "values/text.hpp"
#include "values/time_text.hpp"
#include "values/truth.hpp"
#include "values/web_address.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace tiktrend::sources;

namespace {

std::string time(std::string_view text) {
    const auto value = time_from_text(text);
    return value ? time_to_text(*value) : std::string{value.error().reason};
}

} // namespace

TEST_CASE("times are read from Unix, ISO 8601 and HTTP forms", "[unit][sources][time]") {
    struct row {
        const char* text;
        const char* expected;
    };
    const auto [text, expected] = GENERATE(values<row>({
        {"0", "1970-01-01T00:00:00Z"},
        {"1646770149", "2022-03-08T20:09:09Z"},
        {"1646770149123", "2022-03-08T20:09:09.123Z"},
        {"2022-03-08", "2022-03-08T00:00:00Z"},
        {"2022-03-08T21:09:19+01:00", "2022-03-08T20:09:19Z"},
        {"2022-03-08T21:09:19+0100", "2022-03-08T20:09:19Z"},
        {"2022-03-08T00:30:00-08", "2022-03-08T08:30:00Z"},
        {"2022-03-08 21:09", "2022-03-08T21:09:00Z"},
        {"2022-03-08T21:09:19.5Z", "2022-03-08T21:09:19.500Z"},
        {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"},
        {"2023-02-29T12:00:00Z", "is no date or time"},
        {"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
        {"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
        {"06/11/1994", "is no date or time"},
        {"yesterday", "is no date or time"},
        {"-5", "is no date or time"},
        {"99999999999999999", "is no date or time"},
        {"2022-03-08T21:09:19+01:00x", "is no date or time"},
        {"", "is no date or time"},
    }));
    CAPTURE(text);
    CHECK(time(text) == expected);
}

TEST_CASE("availability is read from schema.org names and short phrases", "[unit][sources][availability]") {
    const auto says = [](std::string_view text) { return availability_from_text(text).value(); };
    CHECK(says("https://schema.org/InStock"));
    CHECK(says("http://schema.org/LimitedAvailability"));
    CHECK(says("InStock"));
    CHECK(says(" in stock "));
    CHECK_FALSE(says("OutOfStock"));
    CHECK_FALSE(says("https://schema.org/SoldOut"));
    CHECK_FALSE(says("PreOrder"));
    CHECK_FALSE(says("NOT SOLD"));
    CHECK_FALSE(says("out-of-stock"));
    CHECK(availability_from_text("maybe").has_error());
    for (const auto* denied : {"currently not in stock",
                               "Not in stock",
                               "No longer in stock",
                               "Sorry, this is not currently in stock.",
                               "nicht auf Lager",
                               "Nicht mehr lieferbar",
                               "derzeit nicht mehr verfügbar",
                               "niet meer op voorraad",
                               "ikke på lager",
                               "Ej i lager",
                               "inte i lager",
                               "ei varastossa",
                               "Pas en stock",
                               "N'est plus disponible",
                               "Plus en stock",
                               "não disponível",
                               "Nincs raktáron",
                               "Nie je skladom",
                               "Není skladem",
                               "nu este în stoc",
                               "stokta yok",
                               "No está disponible",
                               "Не в наличии"}) {
        INFO(denied);
        CHECK_FALSE(says(denied));
    }
    for (const auto* affirmed :
         {"Not many left, but in stock", "Only 3 left in stock", "In stock. No minimum order.",
          "Sofort lieferbar", "Auf Lager, kein Mindestbestellwert", "12 stokta", "No tax! In stock",
          "Il n'en reste que 3 en stock", "Plus que 3 en stock", "Plus size in stock",
          "Kein Problem – sofort lieferbar", "Noch auf\u00A0Lager", "Knaben-Hose auf Lager"}) {
        INFO(affirmed);
        CHECK(says(affirmed));
    }
}

TEST_CASE("truth values are words, nothing is guessed", "[unit][sources]") {
    CHECK(bool_from_text("TRUE").value());
    CHECK(bool_from_text("1").value());
    CHECK_FALSE(bool_from_text(" no ").value());
    CHECK(bool_from_text("2").has_error());
    CHECK(bool_from_text("").has_error());
}

TEST_CASE("stored text has no controls, overrides or more characters than allowed", "[unit][sources][text]") {
    CHECK(storable_text("plain", 100) == "plain");
    CHECK(storable_text("a\x01\x1F\x7F"
                        "b\nc\td",
                        100) == "ab\nc\td");
    CHECK(storable_text("abc\u202Edef\u2066x\u2069", 100) == "abcdefx");
    CHECK(storable_text("\uFEFFa\u0085b", 100) == "ab");
    CHECK(storable_text("<script>alert(1)</script>", 100) == "<script>alert(1)</script>");
    CHECK(storable_text(std::string(1 << 20, 'x'), 4000).size() == 4000);
    CHECK(storable_text("äöü", 2) == "äö");
    CHECK(storable_text("€\x01€€", 2) == "€€");
    CHECK(storable_text(std::string("a\0b", 3), 10) == "ab");
}

TEST_CASE("blanks collapse and references are decoded", "[unit][sources][text]") {
    CHECK(collapse_blanks("  a \n\t b\u00A0\u00A0c ") == "a b c");
    CHECK(collapse_blanks(" \n ") == "");
    CHECK(decode_entities("Catan &#8211; Strategy") == "Catan – Strategy");
    CHECK(decode_entities("a &amp;amp; b &lt;c&gt; &quot;&apos;") == "a &amp; b <c> \"'");
    CHECK(decode_entities("&#x2013;&#X41;&#65") == "–AA");
    CHECK(decode_entities("&#150;&#128;") == "–€");
    CHECK(decode_entities("&#0;&#xD800;&#99999999999;") == "\uFFFD\uFFFD\uFFFD");
    CHECK(decode_entities("AT&T & Co &unknown; &") == "AT&T & Co &unknown; &");
    CHECK(decode_entities("&eacute;&Eacute;&euro;") == "éÉ€");
}

TEST_CASE("HTML becomes its text", "[unit][sources][text]") {
    const auto text = [](std::string_view html) { return html_to_text(html, 4000); };
    CHECK(text("<p>One &amp; two</p>\n<p>three<br>four</p>") == "One & two\nthree\nfour");
    CHECK(text("<ul><li>a</li><li>b</li></ul>") == "a\nb");
    CHECK(text("a<b>b</b>c &nbsp; d") == "abc d");
    CHECK(text("x<script>if (a < b) { alert('</p>') }</script>y<style>p{}</style>z") == "xyz");
    CHECK(text("a<!-- <p>no</p> -->b") == "ab");
    CHECK(text("1 < 2 and 3 > 2") == "1 < 2 and 3 > 2");
    CHECK(text("<a title=\"x > y\">link</a>") == "link");
    CHECK(text("<p>unclosed") == "unclosed");
    CHECK(text("<script>never ends") == "");
    CHECK(text("<") == "<");
    CHECK(text("") == "");
}

TEST_CASE("a hundred thousand nested tags are read in linear time", "[unit][sources][text]") {
    std::string html;
    for (int i = 0; i < 100'000; ++i)
        html += "<div>";
    html += "deep";
    CHECK(html_to_text(html, 4000) == "deep");
    CHECK(html_to_text(std::string(1 << 20, '<'), 4000).size() <= 4 * 4000 + 1);
}

TEST_CASE("links are resolved against the page and only http ones are kept", "[unit][sources][url]") {
    const page_address page{"https://shop.example/list/page?x=1"};
    const auto resolve = [&](std::string_view link) {
        const auto url = page.resolve(link);
        return url ? *url : std::string{url.error().reason};
    };
    CHECK(resolve("https://cdn.example/a.jpg?v=1") == "https://cdn.example/a.jpg?v=1");
    CHECK(resolve("//cdn.example/a.jpg") == "https://cdn.example/a.jpg");
    CHECK(resolve("/p/1") == "https://shop.example/p/1");
    CHECK(resolve("next") == "https://shop.example/list/next");
    CHECK(resolve("../up") == "https://shop.example/up");
    CHECK(resolve("?y=2") == "https://shop.example/list/page?y=2");
    CHECK(resolve(" /with blank ") == "https://shop.example/with%20blank");
    CHECK(resolve("/caf\u00e9|x") == "https://shop.example/caf%C3%A9%7Cx");
    CHECK(resolve("/100%") == "https://shop.example/100%25");
    CHECK(resolve("/a\nb") == "https://shop.example/ab");
    CHECK(resolve("javascript:alert(1)") == "is no http or https URL");
    CHECK(resolve("JavaScript:alert(1)") == "is no http or https URL");
    CHECK(resolve("data:image/png;base64," + std::string(5 << 20, 'A')) == "is no http or https URL");
    CHECK(resolve("mailto:a@b.example") == "is no http or https URL");
    CHECK(resolve("ftp://a.example/") == "is no http or https URL");
    CHECK(resolve("https://user:pw@a.example/") == "holds a user name");
    CHECK(resolve("https:///path") == "has no host");
    CHECK(resolve("https://a.example:1.b.example/") == "has a malformed host or port");
    CHECK(resolve("https://a.example:99999/") == "has a malformed host or port");
    CHECK(resolve("https://[::1]:8080/x") == "https://[::1]:8080/x");
    CHECK(resolve("/" + std::string(3000, 'a')) == "is longer than 2048 bytes");
    CHECK(resolve("") == "is empty");
    CHECK(page_address{""}.resolve("/p/1").error().reason ==
          "is relative, and the address of the page is unknown");
    CHECK(page_address{"http://127.0.0.1:4000/x"}.resolve("/p/1").value() == "http://127.0.0.1:4000/p/1");
}

TEST_CASE("globs match whole texts without backtracking explosions", "[unit][sources]") {
    CHECK(matches_glob("*/login*", "https://a.example/login?x"));
    CHECK_FALSE(matches_glob("*/login", "https://a.example/login?x"));
    CHECK(matches_glob("text/html*", "text/html; charset=utf-8"));
    CHECK(matches_glob("TEXT/*", "text/html", true));
    CHECK_FALSE(matches_glob("TEXT/*", "text/html"));
    CHECK(matches_glob("*", ""));
    CHECK(matches_glob("a*b*c", "aXbYbZc"));
    CHECK_FALSE(matches_glob("a*b*c", "aXbY"));
    std::string glob;
    for (int i = 0; i < 50; ++i)
        glob += "a*";
    CHECK_FALSE(matches_glob(glob + "b", std::string(10'000, 'a')));
}

TEST_CASE("a byte that may not stay is noticed wherever it stands", "[unit][sources]") {
    const page_address page{"https://shop.example/"};
    static_cast<void>(page.resolve("https://shop.example/first")); // its origin is remembered
    std::size_t kept = 0, plain = 0, ends = 0;
    for (std::size_t size = 1; size <= 40; ++size)
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            text[at] = '\x1F';
            kept += storable_text(text, 100).size() != size - 1;
            text[at] = '<';
            plain += page.resolve("https://shop.example/" + text).value().find("%3C") != 21 + at;
            text[at] = '\n';
            ends += storable_text(text, 100) != text;
        }
    CHECK(kept == 0);
    CHECK(plain == 0);
    CHECK(ends == 0);
}
