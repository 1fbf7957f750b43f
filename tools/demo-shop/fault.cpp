#include "fault.hpp"

#include <tiktrend/http/query.hpp>

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tiktrend::demo_shop {
namespace {

struct named {
    fault_kind kind;
    std::string_view name;
};
constexpr std::array kinds{named{fault_kind::status, "status"},
                           named{fault_kind::slow, "slow"},
                           named{fault_kind::hang, "hang"},
                           named{fault_kind::drip, "drip"},
                           named{fault_kind::cut, "cut"},
                           named{fault_kind::reset, "reset"},
                           named{fault_kind::long_length, "long_length"},
                           named{fault_kind::short_length, "short_length"},
                           named{fault_kind::truncated_gzip, "truncated_gzip"},
                           named{fault_kind::gzip_bomb, "gzip_bomb"},
                           named{fault_kind::empty, "empty"},
                           named{fault_kind::html, "html"},
                           named{fault_kind::bad_json, "bad_json"},
                           named{fault_kind::redirect_loop, "redirect_loop"},
                           named{fault_kind::redirect, "redirect"},
                           named{fault_kind::endless, "endless"},
                           named{fault_kind::huge, "huge"}};

std::int64_t parse_integer(std::string_view name, std::string_view text) {
    std::int64_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size())
        throw bad_control{std::string{name} + " must be an integer"};
    return value;
}

void set_number(fault& f, std::string_view name, std::int64_t value) {
    if (value < 0) throw bad_control{std::string{name} + " must not be negative"};
    if (name == "retry_after") f.retry_after = static_cast<int>(value);
    if (name == "delay_ms") f.delay = std::chrono::milliseconds{value};
    if (name == "bytes") f.bytes = static_cast<std::uint64_t>(value);
    if (name == "status") {
        if (value < 300 || value > 599) throw bad_control{"status must be from 300 to 599"};
        f.status = static_cast<int>(value);
    }
}

fault_rule parse_rule(simdjson::dom::object object) {
    fault_rule rule;
    const auto text = [](std::string_view name, simdjson::dom::element value) {
        std::string_view out;
        if (value.get(out) != simdjson::SUCCESS) throw bad_control{std::string{name} + " must be a string"};
        return std::string{out};
    };
    const auto number = [](std::string_view name, simdjson::dom::element value) {
        std::int64_t out = 0;
        if (value.get(out) != simdjson::SUCCESS || out < 0)
            throw bad_control{std::string{name} + " must be a whole number from 0"};
        return out;
    };
    simdjson::dom::element kind;
    if (object["kind"].get(kind) != simdjson::SUCCESS) throw bad_control{"kind is missing"};
    rule.what = parse_fault(text("kind", kind));
    for (const auto& [name, value] : object) {
        if (name == "kind") continue;
        if (name == "path")
            rule.path = text(name, value);
        else if (name == "to")
            rule.what.to = text(name, value);
        else if (name == "count")
            rule.count = static_cast<std::uint64_t>(number(name, value));
        else if (name == "skip")
            rule.skip = static_cast<std::uint64_t>(number(name, value));
        else if (name == "retry_after" || name == "delay_ms" || name == "bytes" || name == "status")
            set_number(rule.what, name, number(name, value));
        else
            throw bad_control{"unknown member " + std::string{name}};
    }
    if (rule.path.empty() || rule.path.front() != '/') throw bad_control{"path must start with '/'"};
    return rule;
}

} // namespace

std::string_view name_of(fault_kind k) noexcept {
    return std::find_if(kinds.begin(), kinds.end(), [k](const named& n) { return n.kind == k; })->name;
}

fault parse_fault(std::string_view name) {
    fault f;
    if (const auto it =
            std::find_if(kinds.begin(), kinds.end(), [name](const named& n) { return n.name == name; });
        it != kinds.end()) {
        f.kind = it->kind;
        return f;
    }
    const bool is_number = name.size() == 3 &&
                           std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) throw bad_control{"unknown kind " + std::string{name}};
    set_number(f, "status", parse_integer("kind", name));
    return f;
}

std::optional<fault> fault_from_query(std::string_view query) {
    if (query.find("misbehave=") == std::string_view::npos) return std::nullopt;
    const auto pairs = http::parse_query(query);
    if (!pairs) return std::nullopt;
    std::optional<fault> f;
    for (const auto& [name, value] : *pairs)
        if (name == "misbehave") f = parse_fault(value);
    if (!f) return std::nullopt;
    for (const auto& [name, value] : *pairs) {
        if (name == "to") f->to = value;
        if (name == "retry_after" || name == "delay_ms" || name == "bytes" || name == "status")
            set_number(*f, name, parse_integer(name, value));
    }
    return f;
}

std::vector<fault_rule> rules_from_json(std::string_view body) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS)
        throw bad_control{"the body must be a JSON object"};
    simdjson::dom::element list;
    if (object["rules"].get(list) != simdjson::SUCCESS) return {parse_rule(object)};
    simdjson::dom::array array;
    if (list.get(array) != simdjson::SUCCESS) throw bad_control{"rules must be an array"};
    std::vector<fault_rule> out;
    for (const auto element : array) {
        simdjson::dom::object one;
        if (element.get(one) != simdjson::SUCCESS) throw bad_control{"each rule must be an object"};
        out.push_back(parse_rule(one));
    }
    return out;
}

void fault_plan::add(std::vector<fault_rule> rules) {
    std::move(rules.begin(), rules.end(), std::back_inserter(rules_));
}

std::optional<fault> fault_plan::next(std::string_view path) {
    for (auto it = rules_.begin(); it != rules_.end(); ++it) {
        if (path.substr(0, it->path.size()) != it->path) continue;
        // Rules for everything mean the shop; its robots.txt misbehaves when it is named.
        if (path == "/robots.txt" && it->path != path) continue;
        if (it->skip > 0) {
            --it->skip;
            return std::nullopt;
        }
        auto what = it->what;
        if (it->count <= 1)
            rules_.erase(it);
        else
            --it->count;
        return what;
    }
    return std::nullopt;
}

} // namespace tiktrend::demo_shop
