#include "glob.hpp"

#include <cstddef>

namespace tiktrend::sources {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

} // namespace

bool matches_glob(std::string_view glob, std::string_view text, bool ignore_case) noexcept {
    const auto same = [&](char a, char b) { return ignore_case ? lower(a) == lower(b) : a == b; };
    constexpr auto none = std::string_view::npos;
    std::size_t g = 0;
    std::size_t t = 0;
    std::size_t star = none; // where to go back to: the last star, one more byte given to it each time
    std::size_t resume = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            resume = t;
        } else if (g < glob.size() && same(glob[g], text[t])) {
            ++g;
            ++t;
        } else if (star != none) {
            g = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (g < glob.size() && glob[g] == '*')
        ++g;
    return g == glob.size();
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

} // namespace tiktrend::sources
