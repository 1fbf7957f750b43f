#pragma once
#include <span>
#include <string_view>

namespace tiktrend {

/// A text file compiled into the program by embed_files() (cmake/EmbedFiles.cmake). Both views live for ever.
struct embedded_file {
    std::string_view name; ///< path relative to the ROOT given to embed_files()
    std::string_view text;
};

} // namespace tiktrend
