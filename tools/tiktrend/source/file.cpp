#include "file.hpp"

#include <tiktrend/sources/alias.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace tiktrend::cli {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_whole(const fs::path& path, std::size_t most) {
    std::ifstream in{path, std::ios::binary};
    if (!in || fs::is_directory(path)) return std::nullopt;
    std::string out{std::istreambuf_iterator<char>{in}, {}};
    if (out.size() > most) out.resize(most);
    return out;
}

void print(const std::vector<sources::definition_error>& mistakes) {
    for (const auto& m : mistakes)
        fmt::print("{}\n", sources::to_string(m));
}

} // namespace

std::optional<source_file> read_source(const std::string& path) {
    const auto text = read_whole(path, sources::max_definition_bytes + 1);
    if (!text) {
        fmt::print("{}: cannot be read\n", path);
        return std::nullopt;
    }
    auto parsed = sources::parse_definition(path, *text);
    if (!parsed) {
        print(parsed.error());
        return std::nullopt;
    }
    return source_file{path, *text, *parsed};
}

std::optional<bool> check_alias(const std::string& path) {
    const auto text = read_whole(path, sources::max_definition_bytes + 1);
    if (!text || !sources::is_alias(*text)) return std::nullopt;
    const auto parsed = sources::parse_alias(path, *text);
    if (!parsed) {
        print(parsed.error());
        return false;
    }
    fmt::print("{}: {}, which stands for", path, parsed->id);
    for (const auto& [choice, id] : parsed->choices)
        fmt::print(" {}", id);
    fmt::print("\n");
    return true;
}

int run_tests(const source_file& file) {
    constexpr std::size_t most_fixture_bytes = 64 << 20;
    const auto folder = file.path.parent_path();
    const auto results = sources::run_definition_tests(*file.definition, [&](std::string_view name) {
        return read_whole(folder / name, most_fixture_bytes);
    });
    if (results.empty()) return -1;
    int failed = 0;
    for (const auto& r : results) {
        failed += !r.passed();
        fmt::print("{}:{}: {} {}\n", file.path.string(), r.line, r.passed() ? "ok" : "FAILED", r.fixture);
        for (const auto& f : r.failures)
            fmt::print("    {}\n", f);
    }
    return failed;
}

} // namespace tiktrend::cli
