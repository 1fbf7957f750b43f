#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace tiktrend::cli {

/// What the words on the command line chose; returns the exit code.
using action = std::function<int()>;

/// Exit codes of every verb.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1; ///< it was tried and did not work; one line on standard error says why
inline constexpr int exit_usage = 2;  ///< wrong arguments or configuration

/// Each adds its verbs to `root` and sets `chosen` when one of them is given. One file a group of verbs.
void add_migrate(CLI::App& root, action& chosen);
void add_api_key(CLI::App& root, action& chosen);
void add_user(CLI::App& root, action& chosen);
void add_check_config(CLI::App& root, action& chosen);
void add_queue(CLI::App& root, action& chosen);
void add_source(CLI::App& root, action& chosen);

} // namespace tiktrend::cli
