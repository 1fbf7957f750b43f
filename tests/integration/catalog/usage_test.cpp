#include "fixture.hpp"

#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/catalog/user_store.hpp>

using namespace tiktrend;
using namespace tiktrend::catalog;

namespace {

constexpr auto today = usage_day_of(noon);

task<usage_key> scrapes_of_ann(postgres::router& r) {
    user_store users{r};
    const auto ann = co_await users.create("ann@example.org", user_role::user);
    co_return usage_key{ann->id, usage_kind::scrapes, today};
}

task<void> take_some(usage_store& store, usage_key key, std::int64_t n, std::int64_t limit,
                     std::int64_t& granted) {
    for (int i = 0; i < 10; ++i)
        granted += (co_await store.take(key, n, limit)).granted;
}

} // namespace

TEST_CASE("what is taken never exceeds the limit, however many take at once",
          "[integration][catalog][usage]") {
    on_database([](postgres::router& r) -> task<void> {
        usage_store store{r};
        const auto key = co_await scrapes_of_ann(r);
        std::int64_t granted = 0;
        task_group group{co_await asio::this_coro::executor};
        for (int i = 1; i <= 8; ++i)
            group.spawn("take", take_some(store, key, i % 3 + 1, 77, granted));
        co_await group.join();
        CHECK(granted == 77);
        CHECK(sql("SELECT used FROM usage") == "77");
        const auto more = co_await store.take(key, 1, 77);
        CHECK(more.granted == 0);
        CHECK(more.state.used == 77);
        CHECK(more.state.limit == 77);
        CHECK((co_await store.take(key, 5, 80)).granted == 3); // what is left
        CHECK((co_await store.take(key, 5, 10)).granted == 0); // a limit lowered below what is used
        CHECK((co_await store.take(key, 1000, std::nullopt)).granted == 1000);
    });
}

TEST_CASE("use is given back, never below zero, and each day and kind has its own",
          "[integration][catalog][usage]") {
    on_database([](postgres::router& r) -> task<void> {
        usage_store store{r};
        const auto key = co_await scrapes_of_ann(r);
        const auto taken = co_await store.take(key, 3, 3);
        CHECK(taken.lsn > 0);
        CHECK(co_await store.give_back(key, 2) >= taken.lsn);
        CHECK((co_await store.read(key, 3)).first.used == 1);
        co_await store.give_back(key, 50);
        CHECK((co_await store.read(key, 3)).first.used == 0);
        co_await store.take(key, 3, 3);
        auto tomorrow = key;
        ++tomorrow.day;
        CHECK((co_await store.take(tomorrow, 1, 3)).granted == 1);
        auto copies = key;
        copies.kind = usage_kind::copies;
        CHECK((co_await store.take(copies, 2, 3)).granted == 2);
        const auto sums = co_await store.totals(today);
        CHECK(sums[0] == 3);
        CHECK(sums[1] == 2);
        CHECK((co_await store.totals(today - 1))[0] == 0);
        CHECK(sql("SELECT day FROM usage ORDER BY day LIMIT 1") ==
              sql("SELECT (to_timestamp(" + std::to_string(noon / 1000) + ") AT TIME ZONE 'UTC')::date"));
    });
}

TEST_CASE("a limit of one's own beats the standard one", "[integration][catalog][usage]") {
    on_database([](postgres::router& r) -> task<void> {
        usage_store store{r};
        const auto key = co_await scrapes_of_ann(r);
        co_await store.set_limit(key.user_id, key.kind, 1);
        CHECK((co_await store.read(key, 100)).first.limit == 1);
        CHECK((co_await store.take(key, 2, 100)).granted == 1);
        co_await store.set_limit(key.user_id, key.kind, 0);
        CHECK((co_await store.take(key, 1, std::nullopt)).granted == 0);
        co_await store.set_limit(key.user_id, key.kind, std::nullopt);
        CHECK((co_await store.take(key, 1, 100)).granted == 1);
        std::string state;
        try {
            co_await store.take({key.user_id + 1, key.kind, today}, 1, 100);
        } catch (const postgres::server_error& e) {
            state = e.sqlstate();
        }
        CHECK(state == "23503");
    });
}

TEST_CASE("a subject belongs to one user", "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        user_store users{r};
        const auto ann = co_await users.create("ann@example.org", user_role::user, "idp|1");
        REQUIRE(ann);
        CHECK(ann->subject == "idp|1");
        CHECK((co_await users.create("bob@example.org", user_role::user, "idp|1")).error() ==
              catalog::errc::subject_taken);
        CHECK((co_await users.create("ann@example.org", user_role::user, "idp|2")).error() ==
              catalog::errc::email_taken);
        CHECK((co_await users.find_by_subject("idp|1"))->id == ann->id);
        CHECK_FALSE(co_await users.find_by_subject("IDP|1"));
        CHECK((co_await users.list(10)).size() == 1);
    });
}
