#pragma once
// Regular expressions of definitions: RE2, which takes linear time on any input and bounded memory for any
// pattern. std::regex is not used anywhere: it recurses, and a hostile text overflows its stack.
#include <tiktrend/base/error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tiktrend::sources {

class pattern {
public:
    /// The compiled expression, or why RE2 refuses it (syntax, or more than 1 MiB compiled).
    static result<std::shared_ptr<const pattern>, std::string> compile(std::string_view text);
    ~pattern();

    /// True if the expression matches somewhere in `text`. Thread-safe.
    bool is_found_in(std::string_view text) const;
    /// The first group of the first match (the whole match if the expression has no group), into `text`;
    /// nothing without a match.
    std::optional<std::string_view> first_group(std::string_view text) const;
    const std::string& text() const noexcept;

private:
    explicit pattern(std::unique_ptr<const re2::RE2> compiled) noexcept;
    std::unique_ptr<const re2::RE2> compiled_;
};

} // namespace tiktrend::sources
