#include <tiktrend/testing/samples.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tiktrend::testing {
namespace fs = std::filesystem;
namespace {

fs::path samples() {
    return source_root() / ".." / "shared" / "samples";
}

} // namespace

fs::path source_root() {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    return root != nullptr ? fs::path{root} : fs::current_path();
}

std::string read_file(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error{"cannot read " + file.string()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<named_text> files_of(const fs::path& folder) {
    std::vector<named_text> out;
    if (!fs::exists(folder)) return out;
    for (const auto& entry : fs::directory_iterator{folder})
        if (entry.is_regular_file())
            out.push_back({entry.path().filename().string(), read_file(entry.path())});
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
}

std::optional<std::string> sample(const std::string& name) {
    if (!fs::exists(samples() / name)) return std::nullopt;
    return read_file(samples() / name);
}

std::vector<named_text> sample_files(const std::string& folder) {
    return files_of(samples() / folder);
}

} // namespace tiktrend::testing
