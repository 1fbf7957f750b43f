#pragma once
// Runs the `tests:` section of a definition: a recorded response and what must be read from it.
#include <tiktrend/sources/definition.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// Gives the text of a fixture by the name that stands in the file ("fixtures/list.json"), nothing if there
/// is none.
using fixture_loader = std::function<std::optional<std::string>(std::string_view name)>;

struct definition_test_result {
    int line = 0; ///< of the test in the definition
    std::string fixture;
    std::vector<std::string> failures; ///< empty: passed; each names what was expected and what was found

    bool passed() const noexcept { return failures.empty(); }
};

/// One result per test, in file order. A definition without tests gives none.
std::vector<definition_test_result> run_definition_tests(const definition& source,
                                                         const fixture_loader& fixtures);

} // namespace tiktrend::sources
