#include <tiktrend/testing/temp_dir.hpp>

#include <cstdlib>
#include <stdexcept>

namespace tiktrend::testing {

temp_dir::temp_dir() {
    auto pattern = (std::filesystem::temp_directory_path() / "tiktrend-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
    std::filesystem::permissions(path_, std::filesystem::perms{0777});
}

temp_dir::~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

} // namespace tiktrend::testing
