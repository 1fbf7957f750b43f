#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace tiktrend;
using namespace tiktrend::http;

namespace {

handler says(std::string text) {
    return [text = std::move(text)](request& r) -> task<response> {
        const auto answer = [](request& q, std::string t) -> task<response> {
            for (const auto& [name, value] : q.path_params)
                t += "|" + std::string{name} + "=" + value;
            co_return response::text(200, t);
        };
        return answer(r, text);
    };
}

task<response> throws_problem(request&) {
    throw problem{409, "conflict", "no"};
    co_return response{};
}
task<response> throws_other(request&) {
    throw std::runtime_error("secret");
    co_return response{};
}

task<response> note_status(request& r, const handler& next, std::string& out) {
    auto response = co_await next(r);
    out += std::to_string(response.status) + std::string{r.route} + ";";
    co_return response;
}

response ask(const router& table, method m, std::string_view target, std::string* route = nullptr) {
    request r;
    r.method = m;
    r.set_target(target);
    response out;
    const auto body = [](const router& t, request& q, response& o) -> task<void> {
        o = co_await t.handle(q);
    };
    testing::run_coroutine(body(table, r, out));
    if (route) *route = r.route;
    return out;
}

} // namespace

TEST_CASE("paths are matched by segments, literals before parameters", "[unit][http]") {
    router t;
    t.add(method::get, "/", says("root"));
    t.add(method::get, "/products", says("list"));
    t.add(method::get, "/products/{id}", says("one"));
    t.add(method::get, "/products/trending", says("trending"));
    t.add(method::get, "/products/{id}/history", says("history"));
    t.add(method::post, "/products/trending/refresh", says("refresh"));
    const auto body = [&](std::string_view target) { return ask(t, method::get, target).body; };
    CHECK(body("/") == "root");
    CHECK(body("/products") == "list");
    CHECK(body("/products?x=/products/7") == "list");
    CHECK(body("/products/7") == "one|id=7");
    CHECK(body("/products/trending") == "trending");
    CHECK(body("/products/%74rending") == "trending");
    CHECK(body("/products/7/history") == "history|id=7");
    CHECK(body("/products/trending/history") == "history|id=trending"); // goes back from the literal branch
    CHECK(body("/products/a%2Fb%20c") == "one|id=a/b c");
    for (const auto* missing :
         {"/Products", "/products/", "/products/7/", "//products", "/products//history", "/x"}) {
        INFO(missing);
        CHECK(ask(t, method::get, missing).status == 404);
    }
    for (const auto* bad : {"/products/%zz", "/products/%00", "/products/%ff", "products", "*"}) {
        INFO(bad);
        CHECK(ask(t, method::get, bad).status == 400);
    }
}

TEST_CASE("the route's template is what metrics see", "[unit][http]") {
    router t;
    t.add(method::get, "/products/{id}", says("one"));
    std::string route;
    ask(t, method::get, "/products/7", &route);
    CHECK(route == "/products/{id}");
    ask(t, method::post, "/products/7", &route);
    CHECK(route == "/products/{id}");
    ask(t, method::get, "/else", &route);
    CHECK(route.empty());
}

TEST_CASE("405 and OPTIONS name the methods there are", "[unit][http]") {
    router t;
    t.add(method::get, "/a", says("get"));
    t.add(method::post, "/a", says("post"));
    const auto refused = ask(t, method::delete_, "/a");
    CHECK(refused.status == 405);
    CHECK(refused.headers.get("Allow") == "OPTIONS, GET, HEAD, POST");
    CHECK(ask(t, method::other, "/a").status == 405);
    const auto options = ask(t, method::options, "/a");
    CHECK(options.status == 204);
    CHECK(options.headers.get("Allow") == "OPTIONS, GET, HEAD, POST");
    CHECK(ask(t, method::head, "/a").body == "get");
    CHECK(ask(t, method::options, "*").status == 204);
}

TEST_CASE("middleware sees every outcome as a response, the first added outermost", "[unit][http]") {
    std::string outer, inner;
    router t;
    t.add(method::get, "/ok", says("ok"));
    t.use([&outer](request& r, const handler& next) { return note_status(r, next, outer); });
    t.use([&inner](request& r, const handler& next) -> task<response> {
        if (r.query == "stop") throw problem{401, "who", "who are you"};
        return note_status(r, next, inner);
    });
    t.add(method::get, "/conflict", throws_problem);
    t.add(method::get, "/broken", throws_other);
    for (const auto* target : {"/ok", "/conflict", "/broken", "/missing", "/ok?stop"})
        ask(t, method::get, target);
    ask(t, method::put, "/ok");
    CHECK(inner == "200/ok;409/conflict;500/broken;404;405/ok;");
    CHECK(outer == "200/ok;409/conflict;500/broken;404;401/ok;405/ok;");
    const auto broken = ask(t, method::get, "/broken");
    CHECK(broken.body.find("secret") == std::string::npos);
    CHECK(broken.failure);
}

TEST_CASE("filters stand around middleware and see each answer once", "[unit][http]") {
    std::string seen;
    const auto named = [&seen](std::string name) {
        filter f;
        f.before = [&seen, name](request& r) {
            seen += name + '(';
            std::optional<response> answer;
            if (r.query == name) answer = response::text(202, "from " + name);
            if (r.query == name + "!") throw problem{403, "no", "not here"};
            return answer;
        };
        f.after = [&seen, name](request&, response& answer) {
            seen += name + std::to_string(answer.status) + ')';
            answer.headers.add("X-Passed", name);
        };
        return f;
    };
    router t;
    t.use(named("a"));
    t.use(filter{}); // neither function
    t.use([](request& r, const handler& next) -> task<response> {
        if (r.query == "layer") throw problem{409, "no", "not now"};
        return next(r);
    });
    t.use(named("b"));
    t.add(method::get, "/ok", says("ok"));
    t.add(method::get, "/broken", throws_other);
    const auto check = [&](const char* target, int status, const std::string& order) {
        INFO(target);
        seen.clear();
        CHECK(ask(t, method::get, target).status == status);
        CHECK(seen == order);
    };
    check("/ok", 200, "a(b(b200)a200)");
    check("/missing", 404, "a(b(b404)a404)");
    check("/broken", 500, "a(b(b500)a500)");
    check("/ok?layer", 409, "a(b(b409)a409)");
    check("/ok?b", 202, "a(b(a202)"); // the filter that answers does not see its answer
    check("/ok?a", 202, "a(");
    check("/ok?b!", 403, "a(b(a403)");
    CHECK(ask(t, method::get, "/broken").failure);
    CHECK(ask(t, method::get, "/ok").headers.get("X-Passed") == "b");
}

TEST_CASE("a malformed or doubled route is refused when it is added", "[unit][http]") {
    router t;
    t.add(method::get, "/a/{id}", says(""));
    for (const auto* bad : {"", "a", "/a/{", "/a/{}", "/a/x{id}", "/a/{id}y", "/a/{i{d}"}) {
        INFO(bad);
        CHECK_THROWS_AS(t.add(method::get, bad, says("")), std::invalid_argument);
    }
    CHECK_THROWS_AS(t.add(method::get, "/a/{id}", says("")), std::invalid_argument);
    CHECK_THROWS_AS(t.add(method::post, "/a/{other}", says("")), std::invalid_argument);
    CHECK_NOTHROW(t.add(method::post, "/a/{id}", says("")));
}
