// What the generic definition reads from pages, and from recorded ones field by field.
#include "documents/gunzip.hpp"
#include "sources_fixture.hpp"

#include <tiktrend/sources/registry.hpp>
#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

#include <map>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;
using namespace tiktrend::testing;

namespace {

definition_ptr generic() {
    static const auto all = load_registry(source_root() / "apps" / "worker" / "sources").value();
    return all->find("generic.product_page");
}

page_result read_as_generic(std::string_view html, const std::string& url = "https://shop.example/p/tea-1") {
    const auto source = generic();
    auto response = answer(html, 200, "text/html");
    response.url = url;
    return read_page(*source, inputs_of(*source, R"({"url":")" + url + "\"}"), first_page(*source), response);
}

/// A field of the page as text: "-" if there is none.
std::string fact(const page_result& page, std::string_view name) {
    if (page.records.empty()) return "-";
    const auto& r = page.records.front();
    if (name == "in_stock") {
        const auto b = r.boolean(name);
        return b ? *b ? "InStock" : "OutOfStock" : "-";
    }
    return std::string{r.text(name).value_or("-")};
}

std::string ld(const std::string& json) {
    return "<html><head><title>Tea</title><script type=\"application/ld+json\">" + json +
           "</script></head><body><h1>Tea</h1></body></html>";
}

/// "price currency availability" of a page with this JSON-LD.
std::string offer(const std::string& json) {
    const auto page = read_as_generic(ld(json));
    return fact(page, "price") + " " + fact(page, "currency") + " " + fact(page, "in_stock");
}

struct recorded {
    std::string file;
    std::string url;
    std::map<std::string, std::string> facts;
};

/// The facts of the samples' manifest.
const std::vector<recorded>& manifest() {
    static const std::vector<recorded> pages{
        {"craigslist-uk-garage",
         "https://birmingham.craigslist.org/grd/d/birmingham-metal-garage-4mx5m-13ftx17ft/7221815683.html",
         {{"title", "Metal garage 4mx5m 13ftx17ft Matt black | Cheap steel garages"},
          {"price", "1899.00"},
          {"currency", "GBP"},
          {"sku", "7221815683"}}},
        {"smartprix-in-phone",
         "https://www.smartprix.com/mobiles/tork-t15-prime-ppd1gaiamg9r",
         {{"title", "Tork T15 Prime"},
          {"price", "949.00"},
          {"currency", "INR"},
          {"in_stock", "InStock"},
          {"sku", "pd1gaiamg9r"}}},
        {"1k-by-cookware",
         "https://dom.1k.by/kitchenappliances-pots/taller/TalleR_TR_1047-1609583.html",
         {{"title", "TalleR TR-1047"},
          {"price", "352.00"},
          {"currency", "BYN"},
          {"in_stock", "-"},
          {"sku", "-"}}},
        {"almedina-pt-book",
         "https://www.almedina.net/the-one-device-the-secret-history-of-the-iphone-1605177813.html",
         {{"title", "The One Device: The Secret History of the iPhone"},
          {"price", "10.75"},
          {"currency", "EUR"},
          {"in_stock", "InStock"},
          {"sku", "-"}}},
        {"spartoo-pt-slippers",
         "https://www.spartoo.pt/Giesswein-KRAMSACH-x15513912.php",
         {{"title", "KRAMSACH"},
          {"price", "56.00"},
          {"currency", "EUR"},
          {"in_stock", "InStock"},
          {"sku", "15513912"}}},
        {"puntoticket-cl-event",
         "https://www.puntoticket.com/evento/de-vez-en-cuando-la-vida-streaming",
         {{"title", "De vez en cuando la vida en Streaming Punto Play - Santiago"},
          {"price", "5000"},
          {"currency", "CLP"},
          {"in_stock", "-"},
          {"sku", "-"}}},
        {"agem-sk-adapter",
         "https://www.agem.sk/usb-komponenty-a-usb-huby/pcie-rozsirujuce-karty/"
         "anpix-redukcia-z-ngff-m2-key-m-na-pci-e-4x-114768289",
         {{"title", "ANPIX Redukcia z NGFF M2 (key M) na PCI-E 4x (Pre ťažbu kryptomeny) AG-M22PCIE4"},
          {"price", "3.56"},
          {"currency", "EUR"},
          {"in_stock", "InStock"},
          {"sku", "114768289"},
          {"gtin", "8596201003541"}}},
        {"johnlewis-uk-boot-nextdata",
         "https://www.johnlewis.com/gant-akron-leather-chelsea-boot/cognac/p5095418",
         {{"title", "GANT Akron Leather Chelsea Boot, Cognac"},
          {"price", "136.00"},
          {"currency", "GBP"},
          {"in_stock", "InStock"},
          {"sku", "39139301"}}},
        {"eduscho-at-shelf",
         "https://www.eduscho.at/massivholz-waschmaschinenregal-p400105394.html",
         {{"title", "Massivholz-Waschmaschinenregal"},
          {"price", "99.95"},
          {"currency", "EUR"},
          {"in_stock", "InStock"},
          {"sku", "400105394"}}},
    };
    return pages;
}

} // namespace

TEST_CASE("recorded product pages give the facts of their manifest", "[unit][sources][samples][generic]") {
    struct tally {
        int right = 0, wrong = 0, missing = 0;
    };
    std::map<std::string, tally> table;
    std::string misses;
    for (const auto& page : manifest()) {
        const auto packed = sample("product-pages/" + page.file + ".html.gz");
        if (!packed) {
            WARN("skipped: no ../shared/samples/product-pages beside the repository");
            return;
        }
        const auto html = gunzip(*packed, 8 << 20);
        REQUIRE(html);
        const auto result = read_as_generic(*html, page.url);
        for (const auto& [name, expected] : page.facts) {
            const auto found = fact(result, name);
            auto& row = table[name];
            if (found == expected)
                ++row.right;
            else
                ++(found == "-" ? row.missing : row.wrong);
            if (found != expected)
                misses += "\n  " + page.file + " " + name + ": expected " + expected + ", found " + found;
        }
        if (result.outcome != outcome::ok) misses += "\n  " + page.file + ": " + result.message;
    }
    std::string shown = "field        right wrong missing";
    tally all;
    for (const auto& [name, t] : table) {
        char line[80];
        std::snprintf(line, sizeof line, "\n%-12s %5d %5d %7d", name.c_str(), t.right, t.wrong, t.missing);
        shown += line;
        all.right += t.right;
        all.wrong += t.wrong;
        all.missing += t.missing;
    }
    WARN(shown << misses);
    CHECK(table["title"].right == 9);
    CHECK(table["price"].right == 9);
    CHECK(table["currency"].right == 9);
    // The three that differ are what the pages themselves say: the boot's JSON-LD has another number and the
    // stock of one size, and the shelf's order number is not the one in its address.
    CHECK(table["in_stock"].right >= 7);
    CHECK(all.right >= 42);
}

TEST_CASE("an offer is read in every form that shops write", "[unit][sources][generic]") {
    const auto row = [](const std::string& offers) {
        return offer(R"({"@context":"https://schema.org","@type":"Product","name":"Tea","offers":)" + offers +
                     "}");
    };
    CHECK(row(R"({"@type":"Offer","price":19.5,"priceCurrency":"EUR","availability":"InStock"})") ==
          "19.50 EUR InStock");
    CHECK(row(R"([{"price":"19.50","priceCurrency":"eur","availability":"http://schema.org/SoldOut"}])") ==
          "19.50 EUR OutOfStock");
    CHECK(row(R"({"price":"1.234,56","priceCurrency":"EUR"})") == "1234.56 EUR -");
    CHECK(row(R"({"price":"$15","priceCurrency":null})") == "15.00 USD -");
    CHECK(row(R"({"price":24.990,"priceCurrency":"CLP"})") == "24990 CLP -");
    CHECK(row(R"({"@type":"AggregateOffer","lowprice":"7","highprice":"9","priceCurrency":"USD"})") ==
          "7.00 USD -");
    CHECK(row(R"({"priceSpecification":{"price":5,"priceCurrency":"USD"}})") == "5.00 USD -");
    CHECK(
        row(R"({"priceSpecification":[{"priceType":"https://schema.org/ListPrice","price":9},{"price":5,"priceCurrency":"USD"}]})") ==
        "5.00 USD -");
    CHECK(row(R"({"price":{"@value":"5.25"},"priceCurrency":"USD"})") == "5.25 USD -");
    CHECK(row(R"({"price":"0","priceCurrency":"USD","availability":"OutOfStock"})") == "- USD OutOfStock");
    CHECK(row(R"({"price":"5","priceCurrency":"USD","availability":"https://schema.org/PreOrder"})") ==
          "5.00 USD OutOfStock");
    CHECK(
        row(R"([{"price":"5","priceCurrency":"USD","availability":"OutOfStock"},{"price":"6","priceCurrency":"USD","availability":"InStock"}])") ==
        "5.00 USD InStock");
}

TEST_CASE("the product is found wherever it stands in the JSON-LD", "[unit][sources][generic]") {
    const std::string tea =
        R"({"@type":"Product","name":"Tea","offers":{"price":"5","priceCurrency":"USD"}})";
    const std::string cup =
        R"({"@type":"Product","name":"Cup","offers":{"price":"9","priceCurrency":"USD"}})";
    CHECK(offer("[" + tea + "]") == "5.00 USD -");
    CHECK(offer(R"({"@graph":[{"@type":"WebPage"},)" + tea + "]}") == "5.00 USD -");
    CHECK(offer(R"({"@type":"WebPage","mainEntity":)" + tea + "}") == "5.00 USD -");
    CHECK(offer(R"({"@type":"ItemList","itemListElement":[{"@type":"ListItem","item":)" + tea + "}]}") ==
          "5.00 USD -");
    CHECK(offer("[" + cup + "," + tea + "]") == "5.00 USD -");
    CHECK(
        offer(
            R"({"@type":["Thing","https://schema.org/Product"],"name":"Tea","offers":{"price":5,"priceCurrency":"USD"}})") ==
        "5.00 USD -");
    CHECK(
        offer(
            R"({"@type":"ProductGroup","name":"Tea","hasVariant":[{"@type":"Product","name":"Tea 50 g","offers":{"price":5,"priceCurrency":"USD"}},{"@type":"Product","name":"Tea 1 kg","offers":{"price":50,"priceCurrency":"USD"}}]})") ==
        "5.00 USD -");
    CHECK(
        offer(
            R"({"@graph":[{"@type":"Product","name":"Tea","offers":{"@id":"#o"}},{"@type":"Offer","@id":"#o","price":5,"priceCurrency":"USD"}]})") ==
        "5.00 USD -");
    // a list page is about none of its products
    CHECK(
        offer(
            R"({"@type":"ItemList","itemListElement":[{"item":)" + cup +
            R"(},{"item":{"@type":"Product","name":"Pot","offers":{"price":"8","priceCurrency":"USD"}}}]})") ==
        "- - -");
}

TEST_CASE("broken JSON-LD is mended, and what cannot be costs only its block", "[unit][sources][generic]") {
    const std::string rest = R"("@type":"Product","name":"Tea","offers":{"price":5,"priceCurrency":"USD"})";
    CHECK(offer("{" + rest + ",}") == "5.00 USD -");
    CHECK(offer("<!-- {" + rest + "} -->") == "5.00 USD -");
    CHECK(offer("//<![CDATA[\n{" + rest + "}\n//]]>") == "5.00 USD -");
    CHECK(offer("{\"description\":\"two\nlines\ttab\", // why not\n" + rest + "};") == "5.00 USD -");
    CHECK(offer("{&quot;@type&quot;:&quot;Product&quot;,&quot;name&quot;:&quot;Tea&quot;,&quot;offers&quot;:{"
                "&quot;price&quot;:5,&quot;priceCurrency&quot;:&quot;USD&quot;}}") == "5.00 USD -");
    CHECK(offer("{\"@type\":\"Product\",\"name\":\"Te</script><script type='application/ld+json'>{" + rest +
                "}") == "5.00 USD -");
    CHECK(fact(read_as_generic(
                   ld(R"({"@type":"Product","name":"A &quot;good&quot; tea","sku":123456789012345678901})")),
               "sku") == "123456789012345678901");
}

TEST_CASE("recorded structured data gives what its manifest states", "[unit][sources][samples][generic]") {
    const auto product = sample("structured-data/product_microdata.html");
    if (!product) {
        WARN("skipped: no ../shared/samples/structured-data beside the repository");
        return;
    }
    const auto page = read_as_generic(*product);
    CHECK(fact(page, "title") == "Executive Anvil");
    CHECK(fact(page, "price") == "119.99");
    CHECK(fact(page, "currency") == "USD");
    CHECK(fact(page, "in_stock") == "InStock");
    const auto controls = sample("structured-data/JSONLD_with_control_characters.html");
    REQUIRE(controls);
    CHECK_NOTHROW(read_as_generic(*controls));
    const auto og = sample("structured-data/opengraph_test.html");
    REQUIRE(og);
    CHECK(read_as_generic(*og).outcome == outcome::ok);
}
