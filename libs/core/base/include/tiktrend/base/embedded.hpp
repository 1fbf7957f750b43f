#pragma once
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tiktrend {

/// A text file compiled into the program by embed_files() (cmake/EmbedFiles.cmake). Both views live for ever.
struct embedded_file {
    std::string_view name; ///< path relative to the ROOT given to embed_files()
    std::string_view text;
};

/// The text of the file of that name. Throws std::logic_error when none was compiled in.
inline std::string_view embedded_text(std::span<const embedded_file> files, std::string_view name) {
    for (const auto& f : files)
        if (f.name == name) return f.text;
    throw std::logic_error("no embedded file " + std::string{name});
}

} // namespace tiktrend
