#include "values/text.hpp"

#include "glob.hpp"
#include "json_strings.hpp"
#include "values/byte_blocks.hpp"
#include "values/html_entities.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

bool is_removed(char32_t c) noexcept {
    if (c < 0x20) return c != '\n' && c != '\t';
    return (c >= 0x7F && c <= 0x9F) ||     // DEL and C1 controls
           (c >= 0x202A && c <= 0x202E) || // bidirectional embeddings and overrides
           (c >= 0x2066 && c <= 0x2069) || // bidirectional isolates
           c == 0x2028 || c == 0x2029 ||   // line and paragraph separators
           c == 0xFEFF;
}

/// True if no character of `text` can be one that is_removed(), by a quick look at its bytes.
bool is_surely_clean(std::string_view text) noexcept {
    return !has_suspect(text, [](byte_block b) {
        const auto is_control = (b < 0x20) & (b != '\n') & (b != '\t');
        return is_control | (b == 0x7F) | (b == 0xC2) | (b == 0xE2) | (b == 0xEF);
    });
}

/// Bytes of the first `characters` code points of `text`, or all of it.
std::size_t bytes_of(std::string_view text, std::size_t characters) noexcept {
    if (text.size() <= characters) return text.size();
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && ++seen > characters) return i;
    return text.size();
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool is_letter(char c) noexcept {
    return (lower(c) >= 'a' && lower(c) <= 'z');
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Numbers from 128 to 159 mean what they mean in windows-1252 (WHATWG, numeric character reference end
/// state).
char32_t numeric_reference(char32_t c) noexcept {
    static constexpr std::array<char16_t, 32> windows{
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    if (c >= 0x80 && c <= 0x9F) return windows[c - 0x80];
    return c == 0 ? 0xFFFD : c;
}

/// Takes the reference that `text` begins with ('&' included) and appends its character; false if it is none.
bool take_reference(std::string_view& text, std::string& out) {
    auto rest = text.substr(1);
    if (rest.starts_with('#')) {
        rest.remove_prefix(1);
        const bool is_hex = rest.starts_with('x') || rest.starts_with('X');
        if (is_hex) rest.remove_prefix(1);
        char32_t value = 0;
        std::size_t digits = 0;
        for (; !rest.empty(); rest.remove_prefix(1), ++digits) {
            const char c = lower(rest.front());
            const bool is_hex_letter = is_hex && c >= 'a' && c <= 'f';
            if (!is_digit(c) && !is_hex_letter) break;
            const auto digit = static_cast<char32_t>(is_digit(c) ? c - '0' : c - 'a' + 10);
            value = std::min<char32_t>(value * (is_hex ? 16 : 10) + digit, 0x110000);
        }
        if (digits == 0) return false;
        append_utf8(out, numeric_reference(value));
    } else {
        std::size_t length = 0;
        while (length < rest.size() && length < 10 && (is_letter(rest[length]) || is_digit(rest[length])))
            ++length;
        const auto c = length < rest.size() && rest[length] == ';' ? html_entity(rest.substr(0, length)) : 0;
        if (c == 0) return false;
        append_utf8(out, c);
        rest.remove_prefix(length);
    }
    if (rest.starts_with(';')) rest.remove_prefix(1);
    text = rest;
    return true;
}

bool breaks_line(std::string_view element) noexcept {
    static constexpr std::array<std::string_view, 27> blocks{
        "address", "article", "aside", "blockquote", "br", "dd",  "div",     "dl", "dt",
        "figure",  "footer",  "form",  "h1",         "h2", "h3",  "h4",      "h5", "h6",
        "hr",      "header",  "li",    "ol",         "p",  "pre", "section", "tr", "ul"};
    return std::any_of(blocks.begin(), blocks.end(),
                       [&](auto b) { return equals_ignoring_case(b, element); });
}

/// Collapses while it writes: blanks wait until something follows them.
class text_writer {
public:
    void blank() noexcept {
        if (!is_line_pending_) is_blank_pending_ = true;
    }
    void line() noexcept { is_line_pending_ = true; }
    void text(std::string_view bytes) {
        if (is_line_pending_ && !out_.empty())
            out_ += '\n';
        else if (is_blank_pending_ && !out_.empty())
            out_ += ' ';
        is_line_pending_ = is_blank_pending_ = false;
        out_.append(bytes);
    }
    std::size_t size() const noexcept { return out_.size(); }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
    bool is_blank_pending_ = false;
    bool is_line_pending_ = false;
};

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/// Behind the end of the tag that begins at `at`; quoted attribute values may hold '>'.
std::size_t end_of_tag(std::string_view html, std::size_t at) noexcept {
    char quote = 0;
    for (; at < html.size(); ++at) {
        const char c = html[at];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return at + 1;
        }
    }
    return html.size();
}

/// Behind the end tag of a raw text element (script, style) whose content begins at `at`.
std::size_t end_of_raw_text(std::string_view html, std::size_t at, std::string_view element) noexcept {
    for (at = html.find("</", at); at != std::string_view::npos; at = html.find("</", at + 2))
        if (equals_ignoring_case(html.substr(at + 2, element.size()), element)) return end_of_tag(html, at);
    return html.size();
}

} // namespace

std::string storable_text(std::string_view text, std::size_t max_characters) {
    if (is_surely_clean(text)) return std::string{text.substr(0, bytes_of(text, max_characters))};
    std::string out;
    out.reserve(std::min(text.size(), 4 * max_characters));
    std::size_t written = 0;
    while (!text.empty() && written < max_characters) {
        const auto before = text;
        const auto c = take_utf8(text);
        if (is_removed(c)) continue;
        out.append(before.substr(0, before.size() - text.size()));
        ++written;
    }
    return out;
}

std::string collapse_blanks(std::string_view text) {
    text_writer writer;
    while (!text.empty()) {
        if (is_blank(text.front())) {
            writer.blank();
            text.remove_prefix(1);
        } else if (text.starts_with("\u00A0")) {
            writer.blank();
            text.remove_prefix(2);
        } else {
            std::size_t length = 1;
            while (length < text.size() && !is_blank(text[length]) && text[length] != '\xC2')
                ++length;
            writer.text(text.substr(0, length));
            text.remove_prefix(length);
        }
    }
    return writer.take();
}

bool is_collapsed(std::string_view text) noexcept {
    bool after_blank = true; // none may stand in front
    for (const char c : text) {
        if (c == '\xC2' || (is_blank(c) && (after_blank || c != ' '))) return false;
        after_blank = c == ' ';
    }
    return !after_blank || text.empty();
}

std::string decode_entities(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto at = std::min(text.find('&'), text.size());
        out.append(text.substr(0, at));
        text.remove_prefix(at);
        if (!text.empty() && !take_reference(text, out)) {
            out += '&';
            text.remove_prefix(1);
        }
    }
    return out;
}

std::string html_to_text(std::string_view html, std::size_t max_characters) {
    text_writer writer;
    std::string character;
    const auto most_bytes = max_characters > html.size() ? html.size() : 4 * max_characters;
    while (!html.empty() && writer.size() <= most_bytes) {
        const char c = html.front();
        if (c == '<' && html.size() > 1 &&
            (is_letter(html[1]) || html[1] == '/' || html[1] == '!' || html[1] == '?')) {
            if (html.starts_with("<!--")) {
                const auto end = html.find("-->", 4);
                html.remove_prefix(end == std::string_view::npos ? html.size() : end + 3);
                continue;
            }
            const std::size_t name_at = html[1] == '/' ? 2 : 1;
            std::size_t name_end = name_at;
            while (name_end < html.size() && (is_letter(html[name_end]) || is_digit(html[name_end])))
                ++name_end;
            const auto name = html.substr(name_at, name_end - name_at);
            auto end = end_of_tag(html, name_end);
            if (name_at == 1 && (equals_ignoring_case(name, "script") || equals_ignoring_case(name, "style")))
                end = end_of_raw_text(html, end, name);
            if (breaks_line(name)) writer.line();
            html.remove_prefix(end);
        } else if (is_blank(c)) {
            writer.blank();
            html.remove_prefix(1);
        } else if (html.starts_with("\u00A0")) {
            writer.blank();
            html.remove_prefix(2);
        } else if (c == '&') {
            character.clear();
            if (!take_reference(html, character)) {
                character = '&';
                html.remove_prefix(1);
            }
            if (character == "\u00A0" || (character.size() == 1 && is_blank(character.front())))
                writer.blank();
            else
                writer.text(character);
        } else {
            std::size_t length = 1;
            while (length < html.size() && !is_blank(html[length]) && html[length] != '<' &&
                   html[length] != '&' && html[length] != '\xC2')
                ++length;
            writer.text(html.substr(0, length));
            html.remove_prefix(length);
        }
    }
    return writer.take();
}

} // namespace tiktrend::sources
