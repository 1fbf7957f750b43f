// Outcomes in their order, and where a list of pages ends.
#include "sources_fixture.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

std::string outcome_name(const definition& source, const response_view& response) {
    return std::string{name_of(read_page(source, inputs_of(source), first_page(source), response).outcome)};
}

constexpr auto one_row = R"({"rows":[{"id":1}]})";

/// A page of rows with ids from `first` on.
std::string rows(int first, int count) {
    std::string out = "{\"rows\":[";
    for (int i = 0; i < count; ++i)
        out += (i ? ",{\"id\":" : "{\"id\":") + std::to_string(first + i) + "}";
    return out + "]}";
}

parts paged(const std::string& pages, const std::string& rest = "") {
    parts p;
    p.pages = "pages: " + pages;
    p.rest = rest;
    return p;
}

} // namespace

TEST_CASE("without rules the answer itself decides the outcome", "[unit][sources][outcome]") {
    const auto source = define(parts{});
    const auto outcome = [&](std::string_view body, int status = 200,
                             std::string_view type = "application/json") {
        return outcome_name(*source, answer(body, status, type));
    };
    CHECK(outcome(one_row) == "ok");
    CHECK(outcome(one_row, 203) == "ok");
    CHECK(outcome(R"({"rows":[]})") == "unexpected_empty");
    CHECK(outcome("{}") == "unexpected_empty");
    CHECK(outcome(R"({"rows":null})") == "unexpected_empty");
    CHECK(outcome(R"({"rows":[{"name":"no id"}]})") == "invalid");
    CHECK(outcome("") == "empty_body");
    CHECK(outcome(" \r\n") == "empty_body");
    CHECK(outcome("<!doctype html>", 200, "text/html") == "unexpected_content");
    CHECK(outcome("\n<html>", 200, "application/json") == "unexpected_content");
    CHECK(outcome("please wait", 200, "text/html; charset=utf-8") == "unexpected_content");
    CHECK(outcome("{\"rows\":[{\"id\":1},]}") == "bad_json");
    CHECK(outcome("not json", 200, "application/json") == "bad_json");
    CHECK(outcome(std::string(100'000, '[') + std::string(100'000, ']')) == "bad_json");
    CHECK(outcome("", 304) == "not_modified");
    CHECK(outcome("", 401) == "login_required");
    CHECK(outcome("", 403) == "blocked");
    CHECK(outcome("", 404) == "not_found");
    CHECK(outcome("", 410) == "not_found");
    CHECK(outcome("", 408) == "transient");
    CHECK(outcome("", 429) == "rate_limited");
    CHECK(outcome("", 500) == "transient");
    CHECK(outcome("", 503) == "transient");
    CHECK(outcome("", 400) == "invalid");
    CHECK(outcome("", 302) == "invalid");
    CHECK(outcome(one_row, 500) == "transient");
}

TEST_CASE("every outcome has one reaction", "[unit][sources][outcome]") {
    CHECK(reaction_to(outcome::ok) == reaction::proceed);
    CHECK(reaction_to(outcome::empty) == reaction::proceed);
    CHECK(reaction_to(outcome::not_modified) == reaction::proceed);
    CHECK(reaction_to(outcome::rate_limited) == reaction::wait);
    CHECK(reaction_to(outcome::transient) == reaction::retry);
    CHECK(reaction_to(outcome::bad_json) == reaction::retry);
    CHECK(reaction_to(outcome::blocked) == reaction::cool_down);
    CHECK(reaction_to(outcome::empty_body) == reaction::cool_down);
    CHECK(reaction_to(outcome::unexpected_content) == reaction::cool_down);
    for (auto o : {outcome::login_required, outcome::not_found, outcome::retired, outcome::invalid,
                   outcome::unexpected_empty})
        CHECK(reaction_to(o) == reaction::give_up);
}

TEST_CASE("the first rule that holds decides", "[unit][sources][outcome]") {
    parts p;
    p.outcomes = R"(  - {when: {status: [429, 430]}, is: rate_limited}
  - {when: {redirect_to: "*/login*"}, is: login_required}
  - {when: {status: 4xx}, is: not_found}
  - {when: {content_type: "TEXT/html*"}, is: blocked}
  - {when: {body: empty}, is: blocked}
  - {when: {not_json: true}, is: retired, message: not the list that it was}
  - {when: {path: [code], in: [40101, 50004]}, is: login_required}
  - {when: {path: [code], equals: 40000}, is: invalid, message: [msg]}
  - {when: {path: [type], equals: verify}, is: blocked}
  - {when: {path: [code], not: 0}, is: transient, message: /msg}
  - {when: {path: [note], matches: "(?i)maintenance"}, is: transient}
  - {when: {path: [flag], is: "true"}, is: blocked}
  - {when: {path: [gone], is: null}, is: retired}
  - {when: {missing: [rows]}, is: invalid}
  - {when: {path: [rows], is: empty_array, page: 1}, is: empty}
)";
    const auto source = define(p);
    const auto outcome = [&](std::string_view body, int status = 200,
                             std::string_view type = "application/json") {
        return outcome_name(*source, answer(body, status, type));
    };
    CHECK(outcome("", 430) == "rate_limited");
    CHECK(outcome("", 404) == "not_found");
    CHECK(outcome("", 503) == "blocked"); // body: empty stands before the status is looked at
    CHECK(outcome("x", 503) == "retired");
    CHECK(outcome(one_row, 200, "text/HTML; charset=utf-8") == "blocked");
    CHECK(outcome("", 200) == "blocked");
    CHECK(outcome("{\"rows\":", 200) == "retired");
    CHECK(outcome(R"({"code":50004,"rows":[{"id":1}]})") == "login_required");
    CHECK(outcome(R"({"code":"50004"})") == "login_required");
    CHECK(outcome(R"({"code":"10000","type":"verify"})") == "blocked");
    CHECK(outcome(R"({"code":7})") == "transient");
    CHECK(outcome(R"({"code":{"a":1}})") == "transient");
    CHECK(outcome(R"({"code":0,"rows":[{"id":1}]})") == "ok");
    CHECK(outcome(R"({"code":0,"note":"In Maintenance mode"})") == "transient");
    CHECK(outcome(R"({"flag":true})") == "blocked");
    CHECK(outcome(R"({"flag":false})") == "invalid");
    CHECK(outcome(R"({"gone":null})") == "retired");
    CHECK(outcome(R"({"rows":[]})") == "empty");

    auto redirected = answer(one_row);
    redirected.requested_url = "https://shop.example/list?page=1";
    redirected.url = "https://shop.example/login?next=/list";
    CHECK(outcome_name(*source, redirected) == "login_required");
    redirected = answer("", 302);
    redirected.location = "/login";
    CHECK(outcome_name(*source, redirected) == "login_required");

    const auto with_message = read_page(*source, inputs_of(*source), first_page(*source),
                                        answer(R"({"code":40000,"msg":"Field 'Id' is\nbad"})"));
    CHECK(with_message.message == "invalid: Field 'Id' is bad (HTTP 200)");
    const auto with_text = read_page(*source, inputs_of(*source), first_page(*source), answer("x"));
    CHECK(with_text.message == "retired: not the list that it was (HTTP 200)");
    CHECK(with_text.end == page_end::failed);
    CHECK_FALSE(with_text.next);
}

TEST_CASE("a rule may say that an odd status is fine", "[unit][sources][outcome]") {
    parts p;
    p.outcomes = "  - {when: {status: 404, path: [rows, 0], not: x}, is: ok}\n";
    const auto source = define(p);
    CHECK(outcome_name(*source, answer(one_row, 404)) == "ok");
    CHECK(outcome_name(*source, answer("{}", 404)) == "not_found");
}

TEST_CASE("too few valid rows make a page invalid and say why", "[unit][sources][outcome]") {
    parts p;
    p.rest = "validate: {min_valid: 75%}\n";
    const auto source = define(p);
    auto page = read(*source, R"({"rows":[{"id":1},{"id":2},{"id":3},{"x":4}]})");
    CHECK(page.outcome == outcome::ok);
    CHECK(page.records.size() == 3);
    CHECK(page.statistics.rows == 4);
    CHECK(page.statistics.valid == 3);
    page = read(*source, R"({"rows":[{"id":1},{"id":{"a":1}},{"id":[1]},{"x":4}]})");
    CHECK(page.outcome == outcome::invalid);
    CHECK(page.records.empty());
    CHECK(page.message == "invalid: 1 of 4 rows are valid, at least 75 % must be; row 1: id: \"{…}\" is an "
                          "object where one value is expected (HTTP 200)");
    REQUIRE(page.statistics.problems.size() == 3);
    CHECK(page.statistics.problems[0].message == "\"{…}\" is an object where one value is expected");
    CHECK(page.statistics.problems[1].message == "\"[…]\" is a list where one value is expected");
    CHECK(page.statistics.problems[2].message == "nothing was found, and the field is required");
    CHECK(page.statistics.fields[0].rejected == 2);
    CHECK(page.statistics.fields[0].missing == 1);
}

TEST_CASE("problems are kept up to ten a page", "[unit][sources][outcome]") {
    const auto source = define(parts{});
    std::string body = "{\"rows\":[{\"id\":1}";
    for (int i = 0; i < 50; ++i)
        body += ",{}";
    const auto page = read(*source, body + "]}");
    CHECK(page.outcome == outcome::ok);
    CHECK(page.statistics.problems.size() == 10);
    CHECK(page.statistics.fields[0].missing == 50);
}

TEST_CASE("a definition without pages reads one", "[unit][sources][pages]") {
    const auto page = read(*define(parts{}), one_row);
    CHECK(page.end == page_end::single);
    CHECK_FALSE(page.next);
}

TEST_CASE("pages end where until, more or last say so", "[unit][sources][pages]") {
    const auto next = [](const parts& p, std::string_view body) {
        const auto page = read(*define(p), body);
        CHECK(page.outcome == outcome::ok);
        return page.next ? std::to_string(page.next->number) : std::string{name_of(page.end)};
    };
    const auto until = paged("{by: number, until: {path: [end], equals: yes}}");
    CHECK(next(until, R"({"rows":[{"id":1}],"end":"yes"})") == "until");
    CHECK(next(until, R"({"rows":[{"id":1}],"end":"no"})") == "2");
    CHECK(next(until, R"({"rows":[{"id":1}]})") == "2");
    const auto more = paged("{by: number, start: 0, more: [more]}");
    CHECK(next(more, R"({"rows":[{"id":1}],"more":true})") == "1");
    CHECK(next(more, R"({"rows":[{"id":1}],"more":"yes"})") == "1");
    CHECK(next(more, R"({"rows":[{"id":1}],"more":3})") == "1");
    for (const auto* no : {"false", "0", "\"\"", "null", "\"false\""})
        CHECK(next(more, R"({"rows":[{"id":1}],"more":)" + std::string{no} + "}") == "no_more");
    CHECK(next(more, one_row) == "no_more");
    const auto last = paged("{by: number, last: [pages]}");
    CHECK(next(last, R"({"rows":[{"id":1}],"pages":3})") == "2");
    CHECK(next(last, R"({"rows":[{"id":1}],"pages":"1"})") == "last_page");
    CHECK(next(last, R"({"rows":[{"id":1}],"pages":0})") == "last_page");
    CHECK(next(last, one_row) == "last_page");
    CHECK(next(paged("{by: number, stop_on_repeat: true, max: 1}"), one_row) == "max_pages");
    CHECK(next(paged("{by: number, stop_on_repeat: true}", "limits: {max_pages: 1}\n"), one_row) ==
          "max_pages");
}

TEST_CASE("an empty page is the end of the list on later pages, not on the first", "[unit][sources][pages]") {
    const auto source = define(paged("{by: number, until: {path: [rows], is: empty_array}}"));
    CHECK(read(*source, R"({"rows":[]})").outcome == outcome::unexpected_empty);
    auto state = first_page(*source);
    state.number = 4;
    state.index = 3;
    const auto page = read_page(*source, inputs_of(*source), state, answer(R"({"rows":[]})"));
    CHECK(page.outcome == outcome::empty);
    CHECK(page.end == page_end::until);
}

TEST_CASE("a page that comes again ends the scrape", "[unit][sources][pages]") {
    const auto source = define(paged("{by: number, stop_on_repeat: true}"));
    const auto inputs = inputs_of(*source);
    page_reader reader;
    auto first = reader.read(*source, inputs, first_page(*source), answer(rows(1, 10)));
    REQUIRE(first.next);
    auto second = reader.read(*source, inputs, *first.next, answer(rows(8, 10))); // three of them came before
    REQUIRE(second.next);
    CHECK(second.records.size() == 7);
    CHECK(second.statistics.duplicates == 3);
    CHECK(second.next->items == 17);

    SECTION("the same page") {
        const auto third = reader.read(*source, inputs, *second.next, answer(rows(8, 10)));
        CHECK(third.outcome == outcome::empty);
        CHECK(third.end == page_end::repeated);
        CHECK(third.records.empty());
        CHECK_FALSE(third.next);
    }
    SECTION("another mix without a new key") {
        const auto third = reader.read(*source, inputs, *second.next, answer(rows(3, 12)));
        CHECK(third.end == page_end::repeated);
    }
    SECTION("the same page after the job was resumed elsewhere") {
        const auto resumed = page_state::from_json(second.next->to_json());
        const auto third = reader.read(*source, inputs, *resumed, answer(rows(8, 10)));
        CHECK(third.end == page_end::repeated);
    }
}

TEST_CASE("bad input 35: a list without end stops at max_pages, whatever it says", "[unit][sources][pages]") {
    const auto source = define(paged("{by: number, more: [more]}", "limits: {max_pages: 25}\n"));
    const auto inputs = inputs_of(*source);
    page_reader reader;
    std::optional<page_state> state = first_page(*source);
    int pages = 0;
    page_end end = page_end::none;
    while (state) {
        const auto body = R"({"more":true,"rows":[{"id":)" + std::to_string(pages) + "}]}";
        auto page = reader.read(*source, inputs, *state, answer(body));
        REQUIRE(page.outcome == outcome::ok);
        end = page.end;
        state = std::move(page.next);
        ++pages;
    }
    CHECK(pages == 25);
    CHECK(end == page_end::max_pages);
}

TEST_CASE("max_items cuts the last page and ends the scrape", "[unit][sources][pages]") {
    const auto source = define(paged("{by: number, stop_on_repeat: true}", "limits: {max_items: 25}\n"));
    const auto inputs = inputs_of(*source);
    page_reader reader;
    auto page = reader.read(*source, inputs, first_page(*source), answer(rows(1, 20)));
    REQUIRE(page.next);
    page = reader.read(*source, inputs, *page.next, answer(rows(21, 20)));
    CHECK(page.records.size() == 5);
    CHECK(page.statistics.over_limit == 15);
    CHECK(page.end == page_end::max_items);
    CHECK(page.records.back().key == "25");
}

TEST_CASE("an unchanged page goes on only when it is known to have had a next one",
          "[unit][sources][pages]") {
    const auto source = define(paged("{by: number, stop_on_repeat: true}"));
    auto response = answer("", 304);
    const auto page = [&] { return read_page(*source, inputs_of(*source), first_page(*source), response); };
    CHECK(page().end == page_end::not_modified);
    response.had_next = false;
    CHECK(page().end == page_end::until);
    response.had_next = true;
    CHECK(page().next->number == 2);
    CHECK(page().outcome == outcome::not_modified);
}

TEST_CASE("keys that come twice on a page are taken once", "[unit][sources][pages]") {
    const auto page = read(*define(parts{}), R"({"rows":[{"id":1},{"id":2},{"id":"1"},{"id":3}]})");
    REQUIRE(page.records.size() == 3);
    CHECK(page.statistics.duplicates == 1);
    CHECK(page.records[2].key == "3");
}

TEST_CASE("what had to be mended in a document is counted", "[unit][sources][outcome]") {
    const auto page = read(*define(parts{}), "{\"rows\":[{\"id\":\"a\\ud800\",\"id\":2}],\"x\":\"\xE9\"}");
    CHECK(page.records.front().key == "a\uFFFD");
    CHECK(page.statistics.notes.duplicate_keys == 1);
    CHECK(page.statistics.notes.replaced_surrogates == 1);
    CHECK(page.statistics.notes.repaired_utf8);
}

TEST_CASE("the keys of hundreds of pages are known, and copies of them are their own",
          "[unit][sources][pages]") {
    key_history all;
    for (std::uint64_t page = 0; page < 300; ++page)
        all.add({page * 20 + 3, page * 20 + 7, page * 20 + 9});
    auto copy = all;
    copy.add({1});
    bool is_right = true;
    for (std::uint64_t key = 0; key < 6'020; ++key) {
        const bool was_added = key < 6'000 && (key % 20 == 3 || key % 20 == 7 || key % 20 == 9);
        is_right =
            is_right && all.contains(key) == was_added && copy.contains(key) == (was_added || key == 1);
    }
    CHECK(is_right);
}
