#include "crawl/robots/robots_rules.hpp"

#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

using tiktrend::worker::product_token;
using tiktrend::worker::robots_rules;
using namespace std::chrono_literals;

namespace {
robots_rules ours(std::string_view text) {
    return robots_rules::parse(text, "TikTrendBot");
}
} // namespace

TEST_CASE("the longest matching pattern decides and allow wins a tie", "[unit][worker][robots]") {
    const auto r = ours("User-agent: *\nDisallow: /shop\nAllow: /shop/open\nDisallow: /shop/open/not\n"
                        "Allow: /tie\nDisallow: /tie\n");
    CHECK_FALSE(r.allows("/shop"));
    CHECK_FALSE(r.allows("/shopping"));
    CHECK(r.allows("/shop/open/1"));
    CHECK_FALSE(r.allows("/shop/open/nothing"));
    CHECK(r.allows("/tie/x"));
    CHECK(r.allows("/"));
}

TEST_CASE("all groups that name the crawler count, else those of the star, else everything is allowed",
          "[unit][worker][robots]") {
    const std::string_view text =
        "User-agent: *\nDisallow: /general\n\nUser-agent: tiktrendBOT/2.0 beta\nDisallow: /one\n\n"
        "User-Agent: other\nDisallow: /\n\nuser-agent: TikTrendBot\nDisallow: /two\n";
    CHECK(ours(text).allows("/general"));
    CHECK_FALSE(ours(text).allows("/one"));
    CHECK_FALSE(ours(text).allows("/two"));
    CHECK_FALSE(robots_rules::parse(text, "somebody").allows("/general"));
    CHECK_FALSE(robots_rules::parse(text, "other").allows("/"));
    CHECK(ours("User-agent: other\nDisallow: /\n").allows("/x"));
    CHECK(ours("User-agent: TikTrendBotExtra\nDisallow: /\n").allows("/x"));
    // A group of one's own that says nothing allows everything.
    CHECK(ours("User-agent: *\nDisallow: /\nUser-agent: TikTrendBot\nDisallow:\n").allows("/x"));
}

TEST_CASE("other lines do not end a list of user-agent lines", "[unit][worker][robots]") {
    const auto text = "User-agent: a\nSitemap: https://x.test/s.xml\nCrawl-delay: 3\nUser-agent: "
                      "TikTrendBot\nDisallow: /no\n";
    CHECK_FALSE(ours(text).allows("/no"));
    CHECK_FALSE(robots_rules::parse(text, "a").allows("/no"));
    CHECK(robots_rules::parse(text, "a").crawl_delay() == 3s);
    CHECK_FALSE(ours(text).crawl_delay());
    CHECK(ours(text).sitemaps() == std::vector<std::string>{"https://x.test/s.xml"});
}

TEST_CASE("stars and the end mark match as RFC 9309 says", "[unit][worker][robots]") {
    const auto r =
        ours("User-agent: *\nDisallow: /*.gif$\nDisallow: /a*b*c\nDisallow: *print\nDisallow: /end$\n");
    CHECK_FALSE(r.allows("/x/y.gif"));
    CHECK(r.allows("/x/y.gif?size=1"));
    CHECK_FALSE(r.allows("/a1b2c3"));
    CHECK_FALSE(r.allows("/abc"));
    CHECK(r.allows("/acb"));
    CHECK_FALSE(r.allows("/any/print"));
    CHECK_FALSE(r.allows("/end"));
    CHECK(r.allows("/ending"));
    CHECK(ours("User-agent: *\nDisallow: /*x$\n").allows("/xy"));
    CHECK_FALSE(ours("User-agent: *\nDisallow: /*\n").allows("/"));
}

TEST_CASE("percent-encoding is compared in one spelling", "[unit][worker][robots]") {
    const auto r = ours(
        "User-agent: *\nDisallow: /caf\xc3\xa9\nDisallow: /%7Eme\nDisallow: /a%2fb\nDisallow: /q?x=%41\n");
    CHECK_FALSE(r.allows("/caf%c3%a9"));
    CHECK_FALSE(r.allows("/caf%C3%A9/menu"));
    CHECK_FALSE(r.allows("/~me"));
    CHECK_FALSE(r.allows("/a%2Fb"));
    CHECK(r.allows("/a/b"));
    CHECK_FALSE(r.allows("/q?x=A"));
}

TEST_CASE("an encoded star or dollar means the character itself", "[unit][worker][robots]") {
    const auto r = ours("User-agent: *\nDisallow: /a-%2A.html\nDisallow: /foo-%24\nDisallow: /x$y\n");
    CHECK_FALSE(r.allows("/a-*.html")); // the examples of RFC 9309 section 2.2.3
    CHECK_FALSE(r.allows("/a-%2a.html"));
    CHECK(r.allows("/a-b.html"));
    CHECK_FALSE(r.allows("/foo-$"));
    CHECK_FALSE(r.allows("/foo-%24/more"));
    CHECK(r.allows("/foo-"));
    CHECK_FALSE(r.allows("/x$y")); // no end of the pattern, so no end of the address
    CHECK_FALSE(r.allows("/x%24y"));
}

TEST_CASE("bad input 40: the line that the limit cuts is no rule", "[unit][worker][robots]") {
    std::string text = "User-agent: *\nDisallow: /\n";
    const std::string last = "Allow: /private/but/this";
    const auto cut = std::string{"Allow: /pri"}.size();
    text += '#' + std::string(robots_rules::max_bytes - text.size() - 2 - cut, 'x') + '\n' + last + '\n';
    CHECK_FALSE(ours(text).allows("/private/1"));
    CHECK_FALSE(ours(robots_rules::readable(text)).allows("/private/1")); // as it is kept for others
    CHECK(robots_rules::readable("Allow: /x") == "Allow: /x");
}

TEST_CASE("files are read as they are found", "[unit][worker][robots]") {
    CHECK_FALSE(ours("\xef\xbb\xbfUser-agent: *\r\nDisallow : /x # why\r\n").allows("/x"));
    CHECK_FALSE(ours("User-agent:*\rDisallow:/x\r").allows("/x"));
    CHECK_FALSE(ours("User-agent: *\nDisallow: folder/").allows("/folder/1"));
    CHECK(ours("Disallow: /before-any-group\n").allows("/before-any-group"));
    CHECK(ours("User-agent: *\ndisallow /no-colon/\n").allows("/no-colon/"));
    CHECK(ours("<!doctype html><title>Not: found</title>").allows("/x"));
    CHECK(ours("").allows("/x"));
    CHECK(ours("User-agent: *\nDisallow: /\n").allows("/robots.txt"));
    CHECK_FALSE(robots_rules::disallow_all().allows("/"));
}

TEST_CASE("crawl delays are numbers of seconds", "[unit][worker][robots]") {
    const auto delay = [](std::string_view value) {
        return ours("User-agent: *\nCrawl-delay: " + std::string{value} + "\n").crawl_delay();
    };
    CHECK(delay("10") == 10s);
    CHECK(delay(".5") == 500ms);
    CHECK(delay("0") == 0ms);
    CHECK(delay("1e300") == 24h);
    CHECK_FALSE(delay("-1"));
    CHECK_FALSE(delay("soon"));
    CHECK_FALSE(delay("nan"));
    CHECK_FALSE(delay("10 s"));
}

TEST_CASE("bad input 40: a file of any size is read up to 500 KiB", "[unit][worker][robots]") {
    std::string text = "User-agent: *\nDisallow: /first\n";
    while (text.size() < robots_rules::max_bytes)
        text += "# filler filler filler filler\n";
    text += "Disallow: /last\n";
    CHECK_FALSE(ours(text).allows("/first"));
    CHECK(ours(text).allows("/last"));
    CHECK(ours(std::string(5U << 20, 'x')).allows("/x"));
    std::string many = "User-agent: *\n";
    for (int i = 0; i < 40'000; ++i)
        many += "Disallow: /*a*b$\n";
    CHECK(ours(many).size() <= robots_rules::max_rules);
    CHECK(ours(many).allows("/" + std::string(8000, 'a')));
}

TEST_CASE("the product token is the word before version and comment", "[unit][worker][robots]") {
    CHECK(product_token("TikTrendBot/0.1 (+https://x.test)") == "TikTrendBot");
    CHECK(product_token("A_b-c 1") == "A_b-c");
    CHECK(product_token("7bot").empty());
}

TEST_CASE("recorded files give the facts of their manifest", "[unit][worker][robots]") {
    const auto file = [](const std::string& name) { return tiktrend::testing::sample("robots/" + name); };
    if (!file("www.shopify.com.txt")) {
        WARN("skipped: the recorded samples are not beside the project");
        return;
    }
    const auto shopify = ours(*file("www.shopify.com.txt"));
    CHECK_FALSE(shopify.allows("/technology/tagged/foo/page/2"));
    CHECK_FALSE(shopify.allows("/blog/search"));
    CHECK(shopify.allows("/blog/x"));
    CHECK_FALSE(shopify.allows("/a/digital_wallets/dialog"));
    CHECK_FALSE(shopify.allows("/landing-x"));
    const auto wikipedia = *file("en.wikipedia.org.txt");
    CHECK(ours(wikipedia).allows("/wiki/Shopify"));
    CHECK_FALSE(ours(wikipedia).allows("/w/index.php"));
    CHECK_FALSE(robots_rules::parse(wikipedia, "wget").allows("/wiki/Shopify"));
    CHECK(ours(*file("www.bhg.com.txt")).crawl_delay() == 500ms);
    const auto longest = robots_rules::parse(*file("cc-rfc9309-example-longest-match-robots.txt"), "foobot");
    CHECK(longest.allows("/example/page/x"));
    CHECK_FALSE(longest.allows("/example/page/disallowed.gif"));
    const auto simple = [text = *file("cc-rfc9309-example-simple-robots.txt")](std::string_view who,
                                                                               std::string_view path) {
        return robots_rules::parse(text, who).allows(path);
    };
    CHECK(simple("foobot", "/example/page.html"));
    CHECK(simple("foobot", "/example/allowed.gif"));
    CHECK_FALSE(simple("foobot", "/other"));
    CHECK_FALSE(simple("barbot", "/example/page.html"));
    CHECK(simple("bazbot", "/other"));
    CHECK(simple("quxbot", "/anything"));
    CHECK_FALSE(simple("stranger", "/x.gif"));
    CHECK_FALSE(simple("stranger", "/example/"));
    CHECK(simple("stranger", "/publications/"));
    for (const auto* name : {"cc-extended-standard-robots.txt", "cc-format-errors-robots.txt",
                             "www.ikea.com.txt", "www.prestashop.com.txt", "www.ebay.co.uk.txt"})
        CHECK_NOTHROW(ours(*file(name)).allows("/x"));
}
