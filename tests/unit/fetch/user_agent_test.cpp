#include <tiktrend/fetch/user_agent.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;

TEST_CASE("a contact is a web page or a mail address", "[unit][fetch]") {
    for (const auto* good : {"https://example.com/bot", "http://example.com", "crawler@example.com"})
        CHECK(is_contact(good));
    for (const auto* bad : {"", "example.com", "@example.com", "me@localhost", "a@b@c.example", "me@.example",
                            "https://", "ftp://example.com", "https://example.com/ bot", "me@example.com)",
                            "https://example.com/\r\nX: y", "mailto:me@example.com"}) {
        INFO(bad);
        CHECK_FALSE(is_contact(bad));
    }
    CHECK_FALSE(is_contact("https://example.com/" + std::string(200, 'x')));
}

TEST_CASE("the user agent names the project and the contact", "[unit][fetch]") {
    CHECK(user_agent("https://example.com/bot") == "TikTrendBot/0.1 (+https://example.com/bot)");
    CHECK(user_agent("") == "TikTrendBot/0.1");
    CHECK(names_contact(user_agent("crawler@example.com")));
    CHECK(names_contact("MyBot/2 (shops; +https://example.com/bot; hello)"));
    CHECK_FALSE(names_contact("TikTrendBot/0.1"));
    CHECK_FALSE(names_contact("Mozilla/5.0 (X11; Linux x86_64) like Gecko"));
    CHECK_FALSE(names_contact(""));
}
