#pragma once
#include <filesystem>

namespace tiktrend::testing {

/// A directory under the system's temporary folder, readable by everybody (servers run as another user),
/// removed with the object.
class temp_dir {
public:
    temp_dir();
    ~temp_dir();
    temp_dir(const temp_dir&) = delete;
    temp_dir& operator=(const temp_dir&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

} // namespace tiktrend::testing
