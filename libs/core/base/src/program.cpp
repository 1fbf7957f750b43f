#include <tiktrend/base/program.hpp>

#include <fmt/format.h>

#include <cstdio>

namespace tiktrend {

std::string_view project_version() noexcept {
    return TIKTREND_VERSION;
}

std::optional<int> answer_arguments(std::span<char*> arguments, std::string_view program,
                                    std::string_view summary) {
    if (arguments.empty()) return std::nullopt;
    const std::string_view first = arguments.front();
    if (arguments.size() == 1 && first == "--version") {
        fmt::print("{} {}\n", program, project_version());
        return 0;
    }
    if (arguments.size() == 1 && (first == "--help" || first == "-h")) {
        fmt::print("{}: {}\nIt takes --version and --help; its settings are environment variables "
                   "(docs/configuration.md, `tiktrend check-config`).\n",
                   program, summary);
        return 0;
    }
    fmt::print(stderr, "{}: unknown argument {}: settings are environment variables (see --help)\n", program,
               first);
    return 2;
}

void log_settings(const logger& log, const config_reader& reader) {
    for (const auto& e : reader.entries())
        if (!e.is_default) log.info("setting", {{"name", e.name}, {"value", e.value}});
}

} // namespace tiktrend
