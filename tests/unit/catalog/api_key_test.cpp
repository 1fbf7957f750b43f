#include <tiktrend/catalog/api_key_store.hpp>

#include <catch2/catch.hpp>

#include <set>

using tiktrend::catalog::api_key_text;

TEST_CASE("a new key has its shape, and its id can be read from it", "[unit][catalog]") {
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const auto key = api_key_text::generate();
        CHECK(key.text.size() == 4 + 8 + 1 + 43);
        CHECK(key.text.starts_with("ttk_" + key.id + "_"));
        CHECK(api_key_text::id_of(key.text) == key.id);
        CHECK(seen.insert(key.text).second);
    }
}

TEST_CASE("what is not shaped like a key has no id", "[unit][catalog]") {
    const auto good = api_key_text::generate().text;
    auto wrong_prefix = good, wrong_separator = good, wrong_character = good, wrong_id = good;
    wrong_prefix[0] = 'T';
    wrong_separator[12] = '-';
    wrong_character.back() = '!';
    wrong_id[5] = '\'';
    for (const auto& bad : {std::string{}, std::string{"ttk_"}, good + "x", good.substr(1), wrong_prefix,
                            wrong_separator, wrong_character, wrong_id})
        CHECK_FALSE(api_key_text::id_of(bad));
}
