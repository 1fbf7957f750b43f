#pragma once
// The definitions that a program knows, by id.
#include <tiktrend/sources/alias.hpp>
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/input.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

struct source_file {
    std::string name; ///< for error messages
    std::string text;
};

struct registry_options {
    /// "demo.shop.shop" (definition id, dot, input name) → the operator's default for that input, e.g. the
    /// address of a shop of their own. It replaces the file's default, is checked like any input and shows in
    /// the JSON Schema.
    std::map<std::string, std::string, std::less<>> input_defaults;
    /// The most that any definition may ask for; nothing: what the files say.
    std::optional<limits> caps;
};

/// What a job asks for, after aliases.
struct chosen_source {
    definition_ptr source; ///< null: there is none of that name
    std::string filters;   ///< for validate_input()
};

/// Immutable; share one between all threads.
class registry {
public:
    /// Null if there is none.
    definition_ptr find(std::string_view id) const noexcept;
    const std::vector<definition_ptr>& all() const noexcept { return all_; } ///< ordered by id
    const std::vector<source_alias>& aliases() const noexcept { return aliases_; }

    /// The definition for a job's `source` and `filters` (a JSON object or empty): the one of that id, or the
    /// one that an alias of that id chooses by the filters, which then lack the choice. The error says which
    /// filter is wrong. Whoever takes jobs calls this, the gateway and the worker.
    result<chosen_source, std::vector<invalid_field>> choose(std::string_view id,
                                                             std::string_view filters) const;

private:
    friend result<std::shared_ptr<const registry>, std::vector<definition_error>>
    make_registry(const std::vector<source_file>&, const registry_options&);
    std::vector<definition_ptr> all_;
    std::vector<source_alias> aliases_;
};

using registry_ptr = std::shared_ptr<const registry>;
using registry_result = result<registry_ptr, std::vector<definition_error>>;

/// Parses all files; every mistake of every file is reported, also two files with one id and defaults for
/// unknown inputs.
registry_result make_registry(const std::vector<source_file>& files,
                              const registry_options& options = registry_options{});

/// The *.yaml, *.yml and *.json files of a folder (not of folders in it), in name order; or what cannot be
/// read.
result<std::vector<source_file>, std::vector<definition_error>>
read_source_files(const std::filesystem::path& folder);

/// make_registry() over the *.yaml, *.yml and *.json files of a folder (not of folders in it), in name order.
/// With read_source_files() the one function of this library that reads files; a folder or file that cannot
/// be read is an error like the others.
registry_result load_registry(const std::filesystem::path& folder,
                              const registry_options& options = registry_options{});

/// Reads "demo.shop.shop=http://127.0.0.1:4000" entries, as an environment variable holds them. Entries
/// without '=' are returned in the error.
result<std::map<std::string, std::string, std::less<>>, std::string>
parse_input_defaults(const std::vector<std::string>& entries);

} // namespace tiktrend::sources
