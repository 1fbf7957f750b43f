#include <tiktrend/postgres/migrator.hpp>

#include <catch2/catch.hpp>

#include <array>

using namespace tiktrend;
using postgres::migrator;

namespace {
void build(std::initializer_list<embedded_file> files) {
    const std::vector<embedded_file> all{files};
    const migrator m{all};
}
} // namespace

TEST_CASE("a set of migrations with a mistake is refused by name", "[unit][postgres]") {
    CHECK_NOTHROW(build({{"001_add_a.up.sql", "x"}, {"001_add_a.down.sql", "x"}}));
    CHECK_THROWS_WITH(build({{"001_add_a.sql", "x"}}), Catch::Contains("001_add_a.sql"));
    CHECK_THROWS_WITH(build({{"1_add_a.up.sql", "x"}}), Catch::Contains("number from 001"));
    CHECK_THROWS_WITH(build({{"001_Add.up.sql", "x"}}), Catch::Contains("NNN_verb_noun"));
    CHECK_THROWS_WITH(build({{"001_add_a.up.sql", "x"}}), Catch::Contains("an up and a down file"));
    CHECK_THROWS_WITH(build({{"002_add_a.up.sql", "x"}, {"002_add_a.down.sql", "x"}}),
                      Catch::Contains("a number before it is missing"));
    CHECK_THROWS_WITH(build({{"001_add_a.up.sql", "x"}, {"001_add_b.down.sql", "x"}}),
                      Catch::Contains("another file has this number"));
}
