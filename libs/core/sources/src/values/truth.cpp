#include "values/truth.hpp"

#include "glob.hpp"

#include <array>
#include <string>

namespace tiktrend::sources {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view text) noexcept {
    for (const auto word : words)
        if (equals_ignoring_case(word, text)) return true;
    return false;
}

/// Only ASCII letters: "https://schema.org/InStock" → "instock", "Out of stock" → "outofstock".
std::string letters_of(std::string_view text) {
    if (const auto slash = text.rfind('/'); slash != std::string_view::npos) text.remove_prefix(slash + 1);
    std::string out;
    for (const char c : text) {
        if (c >= 'a' && c <= 'z') out += c;
        if (c >= 'A' && c <= 'Z') out += static_cast<char>(c + 32);
    }
    return out;
}

} // namespace

converted<bool> bool_from_text(std::string_view text) {
    static constexpr std::array<std::string_view, 4> yes{"true", "yes", "1", "on"};
    static constexpr std::array<std::string_view, 4> no{"false", "no", "0", "off"};
    text = trim_blanks(text);
    if (is_one_of(yes, text)) return true;
    if (is_one_of(no, text)) return false;
    return reject{"is neither true nor false"};
}

converted<bool> availability_from_text(std::string_view text) {
    static constexpr std::array<std::string_view, 8> yes{
        "instock",     "limitedavailability", "onlineonly", "instoreonly",
        "madetoorder", "available",           "true",       "lowstock"};
    static constexpr std::array<std::string_view, 13> no{
        "outofstock", "soldout",     "discontinued", "preorder",   "presale", "backorder", "reserved",
        "notsold",    "unavailable", "notavailable", "notinstock", "false",   "oos"};
    if (text.size() > 200) return reject{"says nothing known about availability"};
    const auto word = letters_of(trim_blanks(text));
    if (is_one_of(yes, word)) return true;
    if (is_one_of(no, word)) return false;
    return reject{"says nothing known about availability"};
}

} // namespace tiktrend::sources
