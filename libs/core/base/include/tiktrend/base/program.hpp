#pragma once
#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/base/log.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace tiktrend {

/// The project's version, as CMakeLists.txt has it.
std::string_view project_version() noexcept;

/// What a service without arguments does with those it was given (argv without its first): answers --version
/// and
/// --help on stdout, and says on stderr that it takes no others. The exit status to end with (0, or 2 for
/// what was refused); nothing: go on. `summary`: one sentence for --help.
std::optional<int> answer_arguments(std::span<char*> arguments, std::string_view program,
                                    std::string_view summary);

/// Logs what was set, secrets hidden (config_reader::entries()): one event `setting` for each that is not its
/// default.
void log_settings(const logger& log, const config_reader& reader);

} // namespace tiktrend
