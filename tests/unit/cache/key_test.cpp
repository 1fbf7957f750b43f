#include <tiktrend/cache/key.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::cache;

TEST_CASE("the key names are what other programs may rely on", "[unit][cache]") {
    const auto list = key::list("products", "source=demo&sort=new");
    CHECK(list.value() == "cache:v:{products}:list:source=demo&sort=new");
    CHECK(list.guard() == "cache:i:{products}:lists");
    CHECK(list.era() == "cache:i:{products}:era");
    CHECK(list.is_list());

    const auto one = key::one("products", "42");
    CHECK(one.value() == "cache:v:{products}:one:42");
    CHECK(one.guard() == "cache:i:{products}:one:42");
    CHECK(one.era() == list.era());
    CHECK_FALSE(one.is_list());
}

TEST_CASE("followers see guards and eras but no answers", "[unit][cache]") {
    const auto k = GENERATE(key::list("copy", "x"), key::one("copy", "x"));
    CHECK(k.guard().starts_with(invalidation_prefix));
    CHECK(k.era().starts_with(invalidation_prefix));
    CHECK_FALSE(k.value().starts_with(invalidation_prefix));
}

TEST_CASE("long texts become a digest, and different ones stay different", "[unit][cache]") {
    const std::string long_text(201, 'a');
    const auto a = key::list("products", long_text);
    const auto b = key::list("products", long_text + "b");
    CHECK(a.value() != b.value());
    CHECK(a.value().size() < 120);
    CHECK(a.value() == key::list("products", long_text).value());
    CHECK(key::list("products", std::string(200, 'a')).value().ends_with(std::string(200, 'a')));
    CHECK(key::one("products", long_text).guard().size() < 120);
}
