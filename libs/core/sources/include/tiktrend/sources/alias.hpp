#pragma once
// A name that stands for one of several sources, chosen by the filters of the job ("tiktok").
#include <tiktrend/sources/definition.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// Read from a file with an `alias` section in place of everything but id and about
/// (docs/adding-a-source.md).
struct source_alias {
    std::string id;
    std::string file;
    std::string about;
    std::string by;             ///< the filter that names the choice
    std::string default_choice; ///< without it; may be empty: then it is required
    std::map<std::string, std::string, std::less<>> choices; ///< choice → definition id
    std::map<std::string, std::string, std::less<>> given;   ///< filter that is there → choice
    std::string input_schema; ///< JSON Schema: the choice, and the filters of each under "$defs"
};

/// Parses one; like parse_definition() either the alias or every mistake.
result<source_alias, std::vector<definition_error>> parse_alias(std::string_view file_name,
                                                                std::string_view yaml_text);

/// True if the text is an alias rather than a definition; false for what cannot be read.
bool is_alias(std::string_view yaml_text);

} // namespace tiktrend::sources
