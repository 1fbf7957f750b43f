#include <tiktrend/fetch/url.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;

namespace {
std::string host_of(std::string_view text) {
    const auto u = parse_url(text);
    return u ? u->host : std::string{to_string(u.error())};
}
std::string text_of(std::string_view text) {
    const auto u = parse_url(text);
    return u ? u->text : std::string{to_string(u.error())};
}
std::string resolved(std::string_view base, std::string_view location) {
    const auto u = resolve(*parse_url(base), location);
    return u ? u->text : std::string{to_string(u.error())};
}
} // namespace

TEST_CASE("an ordinary URL comes out in its one form", "[unit][fetch]") {
    const auto u = parse_url("HTTPS://Shop.Test:443/a/../b?x=1#frag");
    REQUIRE(u.has_value());
    CHECK(u->text == "https://shop.test/b?x=1");
    CHECK(u->scheme == "https");
    CHECK(u->host == "shop.test");
    CHECK(u->port == 443);
    CHECK_FALSE(u->is_literal);
    CHECK(u->target == "/b?x=1");
    CHECK(u->origin() == "https://shop.test");
    CHECK(u->for_log() == "https://shop.test/b");
    CHECK(text_of("http://shop.test:8080") == "http://shop.test:8080/");
    CHECK(text_of("http://shop.test./x") == "http://shop.test/x");
}

TEST_CASE("numeric forms of an IPv4 address are written out", "[unit][fetch]") {
    for (const char* text : {"http://127.1/", "http://0x7f.1/", "http://017700000001/", "http://2130706433/",
                             "http://127.0.0.1./"}) {
        INFO(text);
        CHECK(host_of(text) == "127.0.0.1");
        CHECK(parse_url(text)->is_literal);
    }
}

TEST_CASE("full-width and circled digits become the address that they spell", "[unit][fetch]") {
    CHECK(host_of("http://１２７.0.0.1/") == "127.0.0.1");
    CHECK(host_of("http://①②⑦.0.0.1/") == "127.0.0.1");
    CHECK(host_of("http://127。0。0。1/") == "127.0.0.1");
}

TEST_CASE("international names become ASCII", "[unit][fetch]") {
    CHECK(host_of("http://Bücher.example/") == "xn--bcher-kva.example");
    CHECK(host_of("http://xn--bcher-kva.example/") == "xn--bcher-kva.example");
}

TEST_CASE("IPv6 literals are kept without brackets, zone ids are refused", "[unit][fetch]") {
    const auto u = parse_url("http://[::1]:8080/x");
    REQUIRE(u.has_value());
    CHECK(u->host == "::1");
    CHECK(u->is_literal);
    CHECK(u->text == "http://[::1]:8080/x");
    CHECK(host_of("http://[::1%25eth0]/") == "address_forbidden");
    CHECK(host_of("http://[::zz]/") == "bad_url");
}

TEST_CASE("other schemes are refused by name", "[unit][fetch]") {
    for (const char* text : {"file:///etc/passwd", "gopher://h/", "ftp://h/", "dict://h:11111/",
                             "javascript:alert(1)", "data:text/html,x"})
        CHECK(host_of(text) == "scheme_forbidden");
}

TEST_CASE("bad input 12: user info and backslashes are refused, since parsers disagree about the host",
          "[unit][fetch]") {
    for (const char* text : {"http://user:pw@host/", "http://127.0.0.1:80@evil.test/",
                             "http://evil.test\\@127.0.0.1/", "http://@host/", "http://a@b@c/"})
        CHECK(host_of(text) == "bad_url");
    CHECK(host_of("http://host/path@x") == "host");
}

TEST_CASE("bad input 13 and 14: broken hosts, blanks and control characters are bad URLs", "[unit][fetch]") {
    for (const char* text : {"http://evil.test%00.127.0.0.1/", "http://evil.test%2f.127.0.0.1/",
                             "http://a b/", "http://a/\r\nX: y", "http://a/ b", "", "shop.test/x",
                             "//shop.test/x", "http:", "http:/x", "http:///x", "http://", "http://a:99999/",
                             "http://a:0/", "http://a:b/", "http://..", "http://a..b/", "http://-\"-/"}) {
        INFO(text);
        CHECK(host_of(text) == "bad_url");
    }
    CHECK(host_of("http://a/" + std::string(9000, 'x')) == "bad_url");
    CHECK(host_of("http://" + std::string(260, 'a') + "/") == "bad_url");
    CHECK(host_of(std::string_view{"http://a/\0b", 11}) == "bad_url");
}

TEST_CASE("a redirect is resolved against the page it came from", "[unit][fetch]") {
    CHECK(resolved("https://a.test/x/y?q=1", "z") == "https://a.test/x/z");
    CHECK(resolved("https://a.test/x/y", "/z?p=2") == "https://a.test/z?p=2");
    CHECK(resolved("https://a.test/x", "//b.test/z") == "https://b.test/z");
    CHECK(resolved("https://a.test/x", "http://b.test") == "http://b.test/");
    CHECK(resolved("https://a.test/x", "/a b/ä") == "https://a.test/a%20b/%c3%a4");
    CHECK(resolved("https://a.test/x", "file:///etc/passwd") == "scheme_forbidden");
    CHECK(resolved("https://a.test/x", "gopher://b/") == "scheme_forbidden");
    CHECK(resolved("https://a.test/x", "http://user@b/") == "bad_url");
    CHECK(resolved("https://a.test/x", "http:\\\\b/") == "bad_url");
    CHECK(resolved("https://a.test/x", "http://169.254.169.254/latest/meta-data/") ==
          "http://169.254.169.254/latest/meta-data/");
}
