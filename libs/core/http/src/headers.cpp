#include <tiktrend/http/headers.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace tiktrend::http {
namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// tchar of RFC 9110 section 5.6.2.
constexpr auto token_table = [] {
    std::array<bool, 256> t{};
    for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
        t[static_cast<unsigned char>(c)] = true;
    for (unsigned c = '0'; c <= '9'; ++c)
        t[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c)
        t[c] = true;
    for (unsigned c = 'A'; c <= 'Z'; ++c)
        t[c] = true;
    return t;
}();

void check(std::string_view name, std::string_view value) {
    const auto is_token = [](char c) { return token_table[static_cast<unsigned char>(c)]; };
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_token))
        throw std::invalid_argument("not a header field name: " + std::string{name});
    if (std::any_of(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }))
        throw std::invalid_argument("control characters in the value of " + std::string{name});
}

} // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    return true;
}

void headers::append(std::string_view name, std::string_view value) {
    if (spans_.empty()) { // one allocation each for a typical message
        if (text_.capacity() < 256) text_.reserve(256);
        if (spans_.capacity() < 8) spans_.reserve(8);
    }
    spans_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
    text_.append(name).append(value);
}

void headers::add(std::string_view name, std::string_view value) {
    check(name, value);
    append(name, value);
}

void headers::set(std::string_view name, std::string_view value) {
    check(name, value);
    if (!has(name)) return append(name, value);
    const std::string kept_name{name}, kept_value{value}; // they may point into text_
    erase(kept_name);
    append(kept_name, kept_value);
}

void headers::erase(std::string_view name) {
    // The text stays behind unused: messages are short-lived and seldom change a field twice.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < spans_.size(); ++i)
        if (!equal_ignoring_case(at(i).name, name)) spans_[kept++] = spans_[i];
    spans_.resize(kept);
}

void headers::clear() noexcept {
    text_.clear();
    spans_.clear();
}

std::string_view headers::get(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < spans_.size(); ++i)
        if (spans_[i].name_size == name.size() && equal_ignoring_case(at(i).name, name)) return at(i).value;
    return {};
}

bool headers::has(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < spans_.size(); ++i)
        if (spans_[i].name_size == name.size() && equal_ignoring_case(at(i).name, name)) return true;
    return false;
}

std::size_t headers::count(std::string_view name) const noexcept {
    std::size_t n = 0;
    for (std::size_t i = 0; i < spans_.size(); ++i)
        n += equal_ignoring_case(at(i).name, name) ? 1 : 0;
    return n;
}

} // namespace tiktrend::http
