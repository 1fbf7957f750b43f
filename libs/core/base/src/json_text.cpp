#include <tiktrend/base/json_text.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tiktrend {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Length of the valid UTF-8 sequence at the start of `s` (RFC 3629 table), 0 if there is none.
std::size_t sequence_length(std::string_view s) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const auto tail = [&](std::size_t i) { return i < s.size() && (at(i) & 0xC0) == 0x80; };
    const unsigned char b = at(0);
    if (b < 0x80) return 1;
    if (b < 0xC2) return 0;
    if (b < 0xE0) return tail(1) ? 2 : 0;
    if (b < 0xF0) {
        if (!tail(1) || !tail(2)) return 0;
        if (b == 0xE0 && at(1) < 0xA0) return 0;
        if (b == 0xED && at(1) > 0x9F) return 0;
        return 3;
    }
    if (b < 0xF5) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (b == 0xF0 && at(1) < 0x90) return 0;
        if (b == 0xF4 && at(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

bool is_plain(unsigned char c) noexcept {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/// is_plain() of eight bytes at once: none has its high bit, is below a blank, or is one of the two.
bool are_plain(const char* eight) noexcept {
    constexpr std::uint64_t each = 0x0101010101010101, high = each << 7;
    std::uint64_t word = 0;
    std::memcpy(&word, eight, sizeof word);
    const auto zero_in = [](std::uint64_t w) { return (w - each) & ~w; };
    const auto below_blank = (word - each * 0x20) & ~word;
    return ((word | below_blank | zero_in(word ^ each * '"') | zero_in(word ^ each * '\\')) & high) == 0;
}

/// Bytes at the start of `text` that need no escape.
std::size_t plain_run(std::string_view text) noexcept {
    std::size_t n = 0;
    while (n + 8 <= text.size() && are_plain(text.data() + n))
        n += 8;
    while (n < text.size() && is_plain(static_cast<unsigned char>(text[n])))
        ++n;
    return n;
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const auto run = plain_run(text);
        out.append(text, 0, run);
        text.remove_prefix(run);
        if (text.empty()) break;
        const auto c = static_cast<unsigned char>(text.front());
        if (c >= 0x80) {
            const auto n = sequence_length(text);
            out.append(n ? text.substr(0, n) : replacement);
            text.remove_prefix(n ? n : 1);
            continue;
        }
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            out += hex[c >> 4];
            out += hex[c & 15];
        }
        text.remove_prefix(1);
    }
    out += '"';
}

void append_json_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out.append(buffer.data(), end);
}

void append_json_number(std::string& out, std::int64_t value) {
    std::array<char, 24> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out.append(buffer.data(), end);
}

std::string repair_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (text.front() == '\0') {
            text.remove_prefix(1);
            continue;
        }
        const auto n = sequence_length(text);
        out.append(n ? text.substr(0, n) : replacement);
        text.remove_prefix(n ? n : 1);
    }
    return out;
}

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto n = sequence_length(text);
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

} // namespace tiktrend
