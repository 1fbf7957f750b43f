#pragma once
// Files that tests read: those of the repository, and recorded inputs, which lie beside it
// (../shared/samples) and not in it.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::testing {

struct named_text {
    std::string name;
    std::string text;
};

/// The root of the repository: $TIKTREND_SOURCE_DIR, else the working directory.
std::filesystem::path source_root();

/// The whole of a file; throws std::runtime_error when it cannot be read.
std::string read_file(const std::filesystem::path& file);

/// The files of a folder in name order; empty if there is no such folder.
std::vector<named_text> files_of(const std::filesystem::path& folder);

/// A file of ../shared/samples. Nothing where it is absent: the test then says that it skips.
std::optional<std::string> sample(const std::string& name);

/// All files of a folder of ../shared/samples in name order; empty if it is not there.
std::vector<named_text> sample_files(const std::string& folder);

} // namespace tiktrend::testing
