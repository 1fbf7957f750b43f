#include "samples.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tiktrend::sources::testing {
namespace fs = std::filesystem;

fs::path source_root() {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    return root != nullptr ? fs::path{root} : fs::current_path();
}

std::string read_file(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error{"cannot read " + file.string()};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::optional<std::string> sample(const std::string& name) {
    const auto file = source_root() / ".." / "shared" / "samples" / name;
    if (!fs::exists(file)) return std::nullopt;
    return read_file(file);
}

std::vector<named_text> sample_files(const std::string& folder) {
    std::vector<named_text> out;
    const auto path = source_root() / ".." / "shared" / "samples" / folder;
    if (!fs::exists(path)) return out;
    for (const auto& entry : fs::directory_iterator{path})
        if (entry.is_regular_file())
            out.push_back({entry.path().filename().string(), read_file(entry.path())});
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
}

} // namespace tiktrend::sources::testing
