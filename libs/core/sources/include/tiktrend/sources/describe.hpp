#pragma once
// A definition's fields in words, for people who try it out.
#include <tiktrend/sources/definition.hpp>

#include <string>
#include <vector>

namespace tiktrend::sources {

struct field_description {
    std::string name;
    int line = 0; ///< where it stands in the file, from 1
    bool is_required = false;
    std::vector<std::string>
        alternatives; ///< where the value is looked for, in file order: "ld: offers > * > price"
};

/// All fields in file order; the same order as page_statistics::fields.
std::vector<field_description> describe_fields(const definition& source);

} // namespace tiktrend::sources
