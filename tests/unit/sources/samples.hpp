#pragma once
// Recorded inputs live beside the repository (../shared/samples), not in it: tests that want them skip where
// they are absent.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::sources::testing {

struct named_text {
    std::string name;
    std::string text;
};

/// The root of the repository: $TIKTREND_SOURCE_DIR, else the working directory.
std::filesystem::path source_root();

/// The whole of a file; throws when it cannot be read.
std::string read_file(const std::filesystem::path& file);

/// A file of ../shared/samples, nothing if it is not there.
std::optional<std::string> sample(const std::string& name);

/// All files of a folder of ../shared/samples in name order; empty if it is not there.
std::vector<named_text> sample_files(const std::string& folder);

} // namespace tiktrend::sources::testing
