#include "json_strings.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Four hex digits at `at`, or -1.
int code_unit(std::string_view text, std::size_t at) noexcept {
    if (at + 4 > text.size()) return -1;
    int value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        const int digit = hex_value(text[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

bool is_high(int unit) noexcept {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(int unit) noexcept {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/// Reads the \u escape whose 'u' stands at `at`, with its second half if it has one. Moves `at` behind it.
char32_t take_code_point(std::string_view raw, std::size_t& at, bool& is_lone) noexcept {
    const int first = code_unit(raw, at + 1);
    at += 5;
    is_lone = false;
    if (is_high(first) && raw.substr(at).starts_with("\\u")) {
        if (const int second = code_unit(raw, at + 2); is_low(second)) {
            at += 6;
            return 0x10000 + (static_cast<char32_t>(first - 0xD800) << 10) +
                   static_cast<char32_t>(second - 0xDC00);
        }
    }
    if (is_high(first) || is_low(first)) {
        is_lone = true;
        return 0xFFFD;
    }
    return static_cast<char32_t>(first);
}

char short_escape(char c) noexcept {
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; // quote, slash and backslash mean themselves
    }
}

} // namespace

std::optional<std::int64_t> check_escapes(std::string_view raw) noexcept {
    std::int64_t lone = 0;
    for (std::size_t at = raw.find('\\'); at != std::string_view::npos; at = raw.find('\\', at)) {
        if (++at >= raw.size()) return std::nullopt;
        if (raw[at] == 'u') {
            if (code_unit(raw, at + 1) < 0) return std::nullopt;
            bool is_lone = false;
            take_code_point(raw, at, is_lone);
            lone += is_lone;
        } else {
            if (std::string_view{"\"\\/bfnrt"}.find(raw[at]) == std::string_view::npos) return std::nullopt;
            ++at;
        }
    }
    return lone;
}

void append_unescaped(std::string& out, std::string_view raw) {
    out.reserve(out.size() + raw.size());
    std::size_t from = 0;
    for (std::size_t at = raw.find('\\'); at != std::string_view::npos; at = raw.find('\\', from)) {
        out.append(raw, from, at - from);
        ++at;
        if (raw[at] == 'u') {
            bool is_lone = false;
            append_utf8(out, take_code_point(raw, at, is_lone));
        } else {
            out += short_escape(raw[at]);
            ++at;
        }
        from = at;
    }
    out.append(raw, from);
}

bool equals_unescaped(std::string_view raw, std::string_view text) noexcept {
    if (raw.size() < text.size()) return false; // an escape is never shorter than what it means
    std::string plain;
    append_unescaped(plain, raw);
    return plain == text;
}

void append_utf8(std::string& out, char32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0 | (c >> 6));
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0 | (c >> 12));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (c >> 18));
        out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    }
}

char32_t take_utf8(std::string_view& text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1 || text.size() < length) {
        text.remove_prefix(1);
        return lead;
    }
    char32_t c = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i)
        c = (c << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    text.remove_prefix(length);
    return c;
}

std::optional<std::string> utf16_to_utf8(std::string_view bytes) {
    const bool is_little = bytes.starts_with("\xFF\xFE");
    if (!is_little && !bytes.starts_with("\xFE\xFF")) return std::nullopt;
    const auto unit = [&](std::size_t at) {
        const auto a = static_cast<unsigned char>(bytes[at]);
        const auto b = static_cast<unsigned char>(bytes[at + 1]);
        return is_little ? a | (b << 8) : (a << 8) | b;
    };
    std::string out;
    out.reserve(bytes.size() / 2 + 64);
    for (std::size_t at = 2; at + 1 < bytes.size(); at += 2) {
        const int first = unit(at);
        if (is_high(first) && at + 3 < bytes.size() && is_low(unit(at + 2))) {
            append_utf8(out, 0x10000 + (static_cast<char32_t>(first - 0xD800) << 10) +
                                 static_cast<char32_t>(unit(at + 2) - 0xDC00));
            at += 2;
        } else {
            append_utf8(out, static_cast<char32_t>(first)); // lone halves become U+FFFD
        }
    }
    return out;
}

bool has_control_characters(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::string_view without_nul(std::string_view text, std::string& scratch) {
    if (text.find('\0') == std::string_view::npos) return text;
    std::string kept;
    std::copy_if(text.begin(), text.end(), std::back_inserter(kept), [](char c) { return c != '\0'; });
    scratch = std::move(kept);
    return scratch;
}

} // namespace tiktrend::sources
