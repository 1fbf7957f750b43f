#pragma once
#include "queue_fixture.hpp"

#include <string>

namespace tiktrend::testing {

// What tests of the scripts do with jobs of groups.

/// Adds one job to a group by the script.
inline std::string add_to(queue_fixture& f, const std::string& group, const std::string& id, int priority = 0,
                          const std::string& delay = "0", const std::string& more = "") {
    return f.add(id, "0", delay, 1'000'000,
                 R"({"group":{"id":")" + group + R"(","priority":)" + std::to_string(priority) + more + "}}");
}

/// Fetches as a worker that limits each group: `limits` are concurrency, starts and their window, as in
/// finish_and_fetch.lua. The jobs in the order in which they were taken.
inline strings fetch_limited(queue_fixture& f, const std::string& token, int wanted,
                             const std::string& limits, std::int64_t now = 1'000'000) {
    const auto before = f.list("active").size();
    f.script("finish_and_fetch",
             {std::to_string(now), token, "30000", std::to_string(wanted), "w1", "0", "0", "0 " + limits});
    auto after = f.list("active");
    strings out;
    for (std::size_t i = after.size() - before; i-- > 0;)
        out.push_back(after[i]);
    return out;
}

inline void finish(queue_fixture& f, const std::string& id, const std::string& token) {
    f.script("finish_and_fetch",
             finish_words(1'000'000, {{"completed", id, token, "1", "[]", "", "", "", "0", "L"}}));
}

} // namespace tiktrend::testing
