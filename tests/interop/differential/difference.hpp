#pragma once
#include "snapshot.hpp"

#include <regex>

namespace tiktrend::interop {

/// The differences that are meant: allowed.json, each with its reason. What is not in the table is a failure,
/// and so is an entry that nothing needs any more.
class allowed_differences {
public:
    explicit allowed_differences(const std::string& file);

    /// A line of compare() below.
    bool allows(const std::string& scenario, const std::string& line);
    /// Takes the events that one side alone has by intention out of its stream.
    void drop_events(const std::string& scenario, snapshot& side);
    /// "scenario: pattern" of entries that were never used, among those of the scenarios given.
    std::vector<std::string> unused(const std::vector<std::string>& scenarios) const;

private:
    struct entry {
        std::regex scenario;
        std::string scenario_text;
        std::string pattern_text;
        std::regex pattern;
        bool is_event = false;
        bool is_used = false;
    };
    std::vector<entry> entries_;
};

/// What differs, a line each: "theirs: …" is missing with us, "ours: …" is missing with them. Empty: nothing.
std::vector<std::string> compare(const snapshot& theirs, const snapshot& ours);

} // namespace tiktrend::interop
