#pragma once
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

} // namespace tiktrend
