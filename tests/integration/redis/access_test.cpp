#include "fixture.hpp"

namespace tiktrend::redis {
namespace {

/// A server with a second user, who may do less.
testing::redis_server& guarded() {
    struct with_user : testing::redis_server {
        with_user() {
            command({"ACL", "SETUSER", "app", "on", ">s:cret", "~app:*", "&*", "+@all", "-@dangerous",
                     "-client|setname"});
        }
    };
    static with_user server;
    return server;
}

address with_password(std::string user, std::string password) {
    auto a = at(guarded().unix_url());
    a.user = std::move(user);
    a.password = std::move(password);
    return a;
}

/// What connecting gives up with.
task<std::string> failure(address where) {
    client c{co_await asio::this_coro::executor, std::move(where), quick()};
    c.start();
    std::string what;
    try {
        co_await c.wait_connected(100ms);
    } catch (const system_error& e) {
        what = e.what();
    }
    co_await c.stop();
    co_return what;
}

} // namespace

TEST_CASE("a user with the right password gets in, also without the conveniences", "[integration][redis]") {
    std::vector<std::string> lines;
    auto o = quick("named");
    o.no_evict = true;
    o.log = logger::to_sink(log_level::warn, [&lines](std::string_view line) { lines.emplace_back(line); });
    testing::run_coroutine(with_client_on(with_password("app", "s:cret"), o, [](client& c) -> task<void> {
        CHECK((co_await c.exec(command{"ACL", "WHOAMI"})).text() == "app");
    }));
    REQUIRE(lines.size() == 2); // SETNAME and NO-EVICT are not allowed; that is said and survived
    CHECK(lines[0].find("redis_handshake_step_refused") != std::string::npos);
    CHECK(lines[0].find("NOPERM") != std::string::npos);
    for (const auto& l : lines)
        CHECK(l.find("s:cret") == std::string::npos);
}

TEST_CASE("a wrong password is an access error that names server and cause, not the password",
          "[integration][redis]") {
    auto body = []() -> task<void> {
        const auto what = co_await failure(with_password("app", "guessed"));
        CHECK(what.find("WRONGPASS") != std::string::npos);
        CHECK(what.find(guarded().socket()) != std::string::npos);
        CHECK(what.find("guessed") == std::string::npos);
    };
    testing::run_coroutine(body());
}

TEST_CASE("a missing password is an access error", "[integration][redis]") {
    // Set after the start: the fixture has no password to say.
    testing::redis_server server;
    server.command({"CONFIG", "SET", "requirepass", "x"});
    auto body = [](std::string url) -> task<void> {
        CHECK((co_await failure(at(url))).find("NOAUTH") != std::string::npos);
        auto where = at(url);
        where.password = "x";
        CHECK(co_await failure(where) == "");
    };
    testing::run_coroutine(body(server.unix_url()));
}

TEST_CASE("a command or key that the user may not touch is an access error", "[integration][redis]") {
    testing::run_coroutine(
        with_client_on(with_password("app", "s:cret"), quick(), [](client& c) -> task<void> {
            CHECK((co_await c.exec(command{"SET", "app:x", "1"})).text() == "OK");
            CHECK(co_await code_of(c.exec(command{"SET", "foreign", "1"})) == errc::access_denied);
            CHECK(co_await code_of(c.exec(command{"FLUSHALL"})) == errc::access_denied);
            try {
                co_await c.exec(command{"FLUSHALL"});
                FAIL("no error");
            } catch (const server_error& e) {
                CHECK(e.text().find("flushall") != std::string::npos); // names the command
            }
            CHECK(c.connects() == 1);
        }));
}

TEST_CASE("a user that is disabled loses the connection", "[integration][redis]") {
    testing::run_coroutine(
        with_client_on(with_password("app", "s:cret"), quick(), [](client& c) -> task<void> {
            guarded().command({"ACL", "SETUSER", "app", "off"});
            guarded().command({"CLIENT", "KILL", "USER", "app"});
            CHECK(co_await eventually([&c] { return !c.is_connected(); }));
            CHECK(co_await code_of(c.exec(command{"PING"})) == errc::not_connected);
            guarded().command({"ACL", "SETUSER", "app", "on"});
            co_await c.wait_connected(5s);
            CHECK((co_await c.exec(command{"PING"})).text() == "PONG");
        }));
}

TEST_CASE("a database that does not exist is an error of the connection", "[integration][redis]") {
    auto body = []() -> task<void> {
        auto where = at(guarded().unix_url());
        where.database = 999;
        CHECK((co_await failure(where)).find("out of range") != std::string::npos);
    };
    testing::run_coroutine(body());
}

TEST_CASE("a list of commands of which some have run is not called not executed", "[integration][redis]") {
    auto body = []() -> task<void> {
        co_await with_client_on(with_password("app", "s:cret"), quick(), [](client& c) -> task<void> {
            // FLUSHALL is denied.
            const command some[]{command{"SET", "app:some", 0}, command{"INCR", "app:some"},
                                 command{"FLUSHALL"}};
            CHECK(co_await code_of(c.exec_all(some)) == errc::connection_lost);
            CHECK((co_await c.exec(command{"GET", "app:some"})).text() == "1");
            const command none[]{command{"FLUSHALL"}, command{"FLUSHALL"}};
            CHECK(co_await code_of(c.exec_all(none)) == errc::access_denied);
            // A transaction is all or nothing.
            const command transaction[]{command{"MULTI"}, command{"INCR", "app:some"}, command{"FLUSHALL"},
                                        command{"EXEC"}};
            CHECK(co_await code_of(c.exec_all(transaction)) == errc::access_denied);
            CHECK((co_await c.exec(command{"GET", "app:some"})).text() == "1");
        });
    };
    testing::run_coroutine(body());
}

} // namespace tiktrend::redis
