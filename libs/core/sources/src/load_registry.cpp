#include <tiktrend/sources/registry.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tiktrend::sources {
namespace fs = std::filesystem;

namespace {

bool is_definition_file(const fs::path& file) {
    const auto extension = file.extension();
    return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

std::optional<std::string> read_whole(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) return std::nullopt;
    // One byte more than is read: parse_definition() then says that the file is too large.
    std::string text(max_definition_bytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) return std::nullopt;
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

} // namespace

result<std::vector<source_file>, std::vector<definition_error>> read_source_files(const fs::path& folder) {
    std::vector<fs::path> paths;
    std::error_code failure;
    for (fs::directory_iterator it{folder, failure}, end; !failure && it != end; it.increment(failure))
        if (is_definition_file(it->path())) paths.push_back(it->path());
    if (failure)
        return std::vector<definition_error>{
            {folder.string(), 0, 0, {}, "the folder cannot be read: " + failure.message()}};
    std::sort(paths.begin(), paths.end());

    std::vector<source_file> files;
    std::vector<definition_error> errors;
    for (const auto& path : paths) {
        if (auto text = read_whole(path))
            files.push_back({path.string(), std::move(*text)});
        else
            errors.push_back({path.string(), 0, 0, {}, "the file cannot be read"});
    }
    if (!errors.empty()) return errors;
    return files;
}

registry_result load_registry(const fs::path& folder, const registry_options& options) {
    const auto files = read_source_files(folder);
    if (!files) return files.error();
    return make_registry(*files, options);
}

} // namespace tiktrend::sources
