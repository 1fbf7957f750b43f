#include "fixture.hpp"

#include <tiktrend/catalog/api_key_store.hpp>
#include <tiktrend/catalog/user_store.hpp>

using namespace tiktrend;
using namespace tiktrend::catalog;

TEST_CASE("an e-mail address belongs to one user, however it is capitalised",
          "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        user_store users{r};
        const auto ann = co_await users.create("Ann@Example.org", user_role::admin);
        REQUIRE(ann);
        CHECK(ann->email == "Ann@Example.org");
        CHECK(ann->role == user_role::admin);
        CHECK(ann->created_ms > noon - 1'000'000'000'000);
        CHECK((co_await users.create("ann@example.ORG", user_role::user)).error() ==
              catalog::errc::email_taken);
        const auto found = co_await users.find_by_email("ANN@example.org");
        REQUIRE(found);
        CHECK(found->id == ann->id);
        CHECK((co_await users.find(ann->id))->email == ann->email);
        CHECK_FALSE(co_await users.find(ann->id + 1));
    });
}

TEST_CASE("a key opens the door until it is revoked, and only as a whole",
          "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        user_store users{r};
        api_key_store keys{r};
        const auto ann = co_await users.create("ann@example.org", user_role::user);
        REQUIRE(ann);
        const auto made = co_await keys.create(ann->id, "laptop", {scope::read, scope::scrape});
        CHECK(made.key.scopes == scope_set{scope::read, scope::scrape});
        CHECK(sql("SELECT count(*) FROM api_keys WHERE to_jsonb(api_keys)::text LIKE '%" +
                  made.text.substr(13) + "%'") == "0");

        const auto good = co_await keys.verify(made.text);
        REQUIRE(good);
        CHECK(good->user_id == ann->id);
        CHECK(good->name == "laptop");
        CHECK(good->scopes.allows(scope::scrape));
        CHECK_FALSE(good->scopes.allows(scope::admin));

        auto wrong = made.text;
        wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
        CHECK((co_await keys.verify(wrong)).error() == catalog::errc::unknown_key);
        CHECK((co_await keys.verify(api_key_text::generate().text)).error() == catalog::errc::unknown_key);
        CHECK((co_await keys.verify("ttk_x")).error() == catalog::errc::bad_key);

        CHECK((co_await keys.revoke(made.key.id)).size() == 1);
        CHECK((co_await keys.revoke(made.key.id)).empty());
        CHECK((co_await keys.verify(made.text)).error() == catalog::errc::revoked_key);
        CHECK((co_await keys.find(made.key.id))->revoked_ms);
        CHECK((co_await keys.list(ann->id)).size() == 1);
    });
}

TEST_CASE("a key can be ended with all that was made with it", "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        user_store users{r};
        api_key_store keys{r};
        const auto ann = co_await users.create("ann@example.org", user_role::user);
        const auto bob = co_await users.create("bob@example.org", user_role::user);
        const auto first = co_await keys.create(ann->id, "first", {scope::read});
        const auto child = co_await keys.create(ann->id, "child", {scope::read}, std::nullopt, first.key.id);
        const auto grandchild =
            co_await keys.create(bob->id, "grandchild", {scope::read}, std::nullopt, child.key.id);
        const auto other = co_await keys.create(ann->id, "other", {scope::read});
        CHECK(child.key.parent_id == first.key.id);
        CHECK(other.key.parent_id.empty());

        // Alone, as when a key is replaced: what was made with it goes on.
        CHECK(co_await keys.revoke(first.key.id) == std::vector<std::string>(1, first.key.id));
        CHECK((co_await keys.verify(child.text)).has_value());
        using extent = api_key_store::extent;
        CHECK((co_await keys.revoke(first.key.id, bob->id, extent::with_descendants)).empty());
        CHECK((co_await keys.revoke(first.key.id, ann->id, extent::with_descendants)).size() == 2);
        CHECK((co_await keys.verify(child.text)).error() == catalog::errc::revoked_key);
        CHECK((co_await keys.verify(grandchild.text)).error() == catalog::errc::revoked_key);
        CHECK((co_await keys.verify(other.text)).has_value());
    });
}

TEST_CASE("a key ends at its time", "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        user_store users{r};
        manual_clock clock{noon};
        api_key_store keys{r, clock};
        const auto ann = co_await users.create("ann@example.org", user_role::user);
        const auto made = co_await keys.create(ann->id, "guest", {scope::read}, noon + 1000);
        CHECK(made.key.expires_ms == noon + 1000);
        CHECK((co_await keys.verify(made.text)).has_value());
        clock.advance(1s);
        CHECK((co_await keys.verify(made.text)).error() == catalog::errc::revoked_key);
    });
}

TEST_CASE("the use of a key is written once a minute", "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        user_store users{r};
        manual_clock clock{noon};
        api_key_store keys{r, clock};
        const auto ann = co_await users.create("ann@example.org", user_role::user);
        const auto made = co_await keys.create(ann->id, "busy", {scope::read});
        CHECK_FALSE(made.key.last_used_ms);
        co_await keys.touch(made.key.id);
        const auto first = sql("SELECT xmin FROM api_keys");
        CHECK((co_await keys.find(made.key.id))->last_used_ms);
        for (int i = 0; i < 5; ++i)
            co_await keys.touch(made.key.id);
        api_key_store another_process{r, clock};
        co_await another_process.touch(made.key.id);
        CHECK(sql("SELECT xmin FROM api_keys") == first);

        clock.advance(61s);
        sql("UPDATE api_keys SET last_used_at = now() - interval '61 seconds'");
        co_await keys.touch(made.key.id);
        CHECK(sql("SELECT last_used_at > now() - interval '10 seconds' FROM api_keys") == "t");
    });
}

TEST_CASE("a key needs a user", "[integration][catalog][accounts]") {
    on_database([](postgres::router& r) -> task<void> {
        api_key_store keys{r};
        std::string state;
        try {
            co_await keys.create(42, "nobody", {scope::read});
        } catch (const postgres::server_error& e) {
            state = e.sqlstate();
        }
        CHECK(state == "23503");
    });
}
