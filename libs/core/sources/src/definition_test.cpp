#include "json_document.hpp"
#include "plan.hpp"

#include <tiktrend/sources/definition_test.hpp>
#include <tiktrend/sources/page.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tiktrend::sources {
namespace {

std::string show(json_node node) {
    if (!node.exists()) return "nothing";
    std::string out;
    node.append_to(out);
    return excerpt(out);
}

/// Notes where `found` differs from what the file expects. Mappings need not name every member.
void compare(const yaml_node& expected, json_node found, const std::string& where,
             std::vector<std::string>& failures) {
    const auto differ = [&] {
        failures.push_back(fmt::format("{}: expected {}, found {}", where, expected.describe(), show(found)));
    };
    if (expected.is_null()) {
        if (found.exists() && found.kind() != json_kind::null) differ();
    } else if (expected.is_scalar()) {
        std::string scratch;
        if (!found.exists() || !found.is_scalar() || found.kind() == json_kind::null ||
            found.text(scratch) != expected.text)
            differ();
    } else if (expected.is_sequence()) {
        if (!found.is(json_kind::array) || found.size() != expected.items.size()) return differ();
        for (std::size_t i = 0; i < expected.items.size(); ++i)
            compare(expected.items[i], found.element(static_cast<std::int64_t>(i)),
                    fmt::format("{}[{}]", where, i), failures);
    } else {
        if (!found.is(json_kind::object)) return differ();
        for (const auto& m : expected.members)
            compare(m.value, found.member(m.key), fmt::format("{}.{}", where, m.key), failures);
    }
}

void compare_record(const yaml_node& expected, const record& found, const std::string& where,
                    std::vector<std::string>& failures) {
    json_document document;
    const auto text = to_json(found);
    if (document.parse(text) != json_status::ok) {
        failures.push_back(fmt::format("{}: the record is no JSON: {}", where, document.problem()));
        return;
    }
    compare(expected, document.root(), where, failures);
}

void compare_text(const yaml_node* expected, std::string_view name, std::string_view found,
                  std::vector<std::string>& failures) {
    if (expected != nullptr && expected->text != found)
        failures.push_back(fmt::format("{}: expected {}, found {}", name, expected->text, found));
}

/// How a test names the next page: its cursor or address where there is one, else its number.
std::string next_of(const page_result& page) {
    if (!page.next) return "none";
    if (!page.next->cursor.empty()) return page.next->cursor;
    return page.next->url.empty() ? std::to_string(page.next->number) : page.next->url;
}

void check_page(const yaml_node& expect, const page_result& page, std::vector<std::string>& failures) {
    const auto* outcome = expect.find("outcome");
    compare_text(outcome, "outcome", name_of(page.outcome), failures);
    if (outcome == nullptr && page.outcome != sources::outcome::ok)
        failures.push_back(fmt::format("outcome: expected ok, found {}", page.message));
    compare_text(expect.find("count"), "count", std::to_string(page.records.size()), failures);
    compare_text(expect.find("next"), "next", next_of(page), failures);
    compare_text(expect.find("follow"), "follow", std::to_string(page.follow.size()), failures);
    if (const auto* message = expect.find("message");
        message != nullptr && page.message.find(message->text) == std::string::npos)
        failures.push_back(fmt::format("message: expected \"{}\" in \"{}\"", message->text, page.message));
    for (const auto* which : {"first", "last"}) {
        const auto* record = expect.find(which);
        if (record == nullptr) continue;
        if (page.records.empty())
            failures.push_back(fmt::format("{}: there are no records", which));
        else
            compare_record(*record, which[0] == 'f' ? page.records.front() : page.records.back(), which,
                           failures);
    }
    if (!failures.empty())
        for (const auto& p : page.statistics.problems)
            failures.push_back(fmt::format("row {}: {}: {}", p.row, p.field, p.message));
}

} // namespace

std::vector<definition_test_result> run_definition_tests(const definition& source,
                                                         const fixture_loader& fixtures) {
    std::vector<definition_test_result> out;
    page_reader reader;
    for (const auto& test : source.plan->tests) {
        definition_test_result result{test.line, test.fixture, {}};
        const auto body = fixtures(test.fixture);
        const auto inputs = validate_input(source, test.input_json);
        if (!body) result.failures.push_back(fmt::format("there is no fixture \"{}\"", test.fixture));
        if (!inputs)
            for (const auto& e : inputs.error())
                result.failures.push_back(fmt::format("input.{}: {}", fmt::join(e.loc, "."), e.msg));
        if (body && inputs) {
            response_view response;
            response.status = test.status;
            response.content_type = test.content_type;
            response.url = test.url;
            response.location = test.location;
            for (const auto& [name, value] : test.headers)
                response.headers.emplace_back(name, value);
            response.body = *body;
            check_page(test.expect, reader.read(source, *inputs, test.page, response), result.failures);
        }
        out.push_back(std::move(result));
    }
    return out;
}

} // namespace tiktrend::sources
