#include <tiktrend/testing/samples.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tiktrend::testing {

std::optional<std::string> sample(const std::string& name) {
    const char* root = std::getenv("TIKTREND_SOURCE_DIR");
    std::ifstream file{std::filesystem::path{root ? root : "."} / "../shared/samples" / name,
                       std::ios::binary};
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{file}, {}};
}

} // namespace tiktrend::testing
