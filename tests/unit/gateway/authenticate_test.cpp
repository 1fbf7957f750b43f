// Who is known, for how long, and what happens when nobody can be asked.
#include "middleware/authenticate.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::gateway;
using namespace std::chrono_literals;

namespace {

/// A store of keys that says what it is told to say.
struct key_store {
    std::optional<principal> known;
    bool is_away = false;
    int asked = 0;

    task<std::optional<principal>> find(std::string, std::string) {
        ++asked;
        if (is_away) throw system_error{make_error_code(postgres::errc::not_connected)};
        co_return known;
    }
};

task<http::response> hello(http::request&) {
    co_return http::response::empty(204);
}

/// The status of a request with this token, or the code of the problem or error it ends in.
task<void> ask(const http::handler& guarded, std::string token, std::string& out) {
    http::request r;
    r.headers.set("Authorization", "Bearer " + token);
    try {
        out = std::to_string((co_await guarded(r)).status);
    } catch (const http::problem& p) {
        out = p.code();
    } catch (const system_error& e) {
        out = e.code().message();
    }
}

std::string answer_to(const http::handler& guarded, std::string token) {
    std::string out;
    testing::run_coroutine(ask(guarded, std::move(token), out));
    return out;
}

principal reader() {
    principal p;
    p.id = "user:1";
    p.credential = "key:abc";
    p.scopes.insert("read");
    return p;
}

} // namespace

TEST_CASE("who was good lately stays so while the store is away", "[unit][gateway][access]") {
    key_store store;
    store.known = reader();
    manual_clock clock{1'000'000};
    authenticator access{[&](std::string t, std::string a) { return store.find(std::move(t), std::move(a)); },
                         0s, clock};
    const auto guarded = access.require("read", hello);
    REQUIRE(answer_to(guarded, "good") == "204");
    REQUIRE(answer_to(guarded, "good") == "204");
    CHECK(store.asked == 2); // nothing is remembered while the store answers

    store.is_away = true;
    const auto away = make_error_code(postgres::errc::not_connected).message();
    CHECK(answer_to(guarded, "good") == "204");
    CHECK(answer_to(guarded, "good") == "204");
    CHECK(store.asked == 3); // the store rests a second
    CHECK(answer_to(guarded, "never seen") == away);

    SECTION("but not who was revoked") {
        access.end("key:abc");
        CHECK(answer_to(guarded, "good") == away);
    }
    SECTION("and what the store says when it is back counts") {
        access.forget_all();
        store.is_away = false;
        store.known.reset();
        CHECK(answer_to(guarded, "good") == "invalid_token");
        store.is_away = true;
        CHECK(answer_to(guarded, "good") == away);
    }
}

TEST_CASE("no grace goes beyond the end of a credential", "[unit][gateway][access]") {
    key_store store;
    store.known = reader();
    manual_clock clock{1'000'000};
    store.known->expires_ms = clock.now_ms(); // ends at this very moment
    authenticator access{[&](std::string t, std::string a) { return store.find(std::move(t), std::move(a)); },
                         10s, clock};
    const auto guarded = access.require("read", hello);
    REQUIRE(answer_to(guarded, "good") == "204");
    store.is_away = true;
    CHECK(answer_to(guarded, "good") == make_error_code(postgres::errc::not_connected).message());
}
