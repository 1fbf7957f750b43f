#include "difference.hpp"

#include "scenario.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace tiktrend::interop {
namespace {

/// Both sides were told the same duration within moments of each other.
constexpr std::int64_t ttl_tolerance_ms = 5'000;

bool have_same_expiry(std::int64_t a, std::int64_t b) {
    if ((a < 0) != (b < 0)) return false;
    return a < 0 || std::abs(a - b) <= ttl_tolerance_ms;
}

std::vector<std::string> lines_of(const std::string& key, const key_state& state) {
    const bool is_ordered = state.type == "list" || state.type == "stream" || state.type == "zset";
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < state.rows.size(); ++i)
        lines.push_back(key + (is_ordered ? " [" + std::to_string(i) + "] " : " ") + state.rows[i]);
    return lines;
}

void compare_rows(const std::string& key, const key_state& theirs, const key_state& ours,
                  std::vector<std::string>& out) {
    const auto expected = lines_of(key, theirs);
    const auto found = lines_of(key, ours);
    const std::set<std::string> expected_set{expected.begin(), expected.end()};
    const std::set<std::string> found_set{found.begin(), found.end()};
    for (const auto& line : expected)
        if (!found_set.contains(line)) out.push_back("theirs: " + line);
    for (const auto& line : found)
        if (!expected_set.contains(line)) out.push_back("ours:   " + line);
}

} // namespace

allowed_differences::allowed_differences(const std::string& file) {
    const auto text = read_json_file(file);
    for (const auto& row : text.as_array()) {
        const auto& o = row.as_object();
        entry e;
        e.is_event = o.contains("event");
        e.scenario_text = std::string{o.at("scenario").as_string()};
        e.scenario = std::regex{e.scenario_text};
        e.pattern_text = std::string{o.at(e.is_event ? "event" : "line").as_string()};
        e.pattern = std::regex{e.pattern_text};
        if (o.at("reason").as_string().size() < 10)
            throw std::runtime_error(file + ": an allowed difference without a reason: " + e.pattern_text);
        entries_.push_back(std::move(e));
    }
}

bool allowed_differences::allows(const std::string& scenario, const std::string& line) {
    for (auto& e : entries_)
        if (!e.is_event && std::regex_match(scenario, e.scenario) && std::regex_search(line, e.pattern))
            return e.is_used = true;
    return false;
}

void allowed_differences::drop_events(const std::string& scenario, snapshot& side) {
    for (auto& e : entries_) {
        if (!e.is_event || !std::regex_match(scenario, e.scenario)) continue;
        for (auto& [key, state] : side)
            if (state.type == "stream" && std::erase_if(state.rows, [&](const auto& row) {
                                              return std::regex_search(row, e.pattern);
                                          }) > 0)
                e.is_used = true;
    }
}

std::vector<std::string> allowed_differences::unused(const std::vector<std::string>& scenarios) const {
    std::vector<std::string> out;
    for (const auto& e : entries_) {
        const bool concerns = std::any_of(scenarios.begin(), scenarios.end(),
                                          [&](const auto& s) { return std::regex_match(s, e.scenario); });
        if (concerns && !e.is_used) out.push_back(e.scenario_text + ": " + e.pattern_text);
    }
    return out;
}

std::vector<std::string> compare(const snapshot& theirs, const snapshot& ours) {
    std::vector<std::string> out;
    for (const auto& [key, state] : theirs) {
        const auto found = ours.find(key);
        if (found == ours.end()) {
            compare_rows(key, state, {}, out);
            continue;
        }
        if (state.type != found->second.type)
            out.push_back("theirs: " + key + " is a " + state.type + ", ours: " + found->second.type);
        if (!have_same_expiry(state.ttl_ms, found->second.ttl_ms))
            out.push_back("theirs: " + key + " expires in " + std::to_string(state.ttl_ms) +
                          " ms, ours: in " + std::to_string(found->second.ttl_ms) + " ms");
        compare_rows(key, state, found->second, out);
    }
    for (const auto& [key, state] : ours)
        if (!theirs.contains(key)) compare_rows(key, {}, state, out);
    return out;
}

} // namespace tiktrend::interop
