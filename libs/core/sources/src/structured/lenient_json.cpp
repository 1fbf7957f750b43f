#include "structured/lenient_json.hpp"

#include "values/text.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr auto none = std::string_view::npos;

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
           static_cast<signed char>(c) < 0;
}
bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string_view trim(std::string_view t) noexcept {
    while (!t.empty() && is_blank(t.front()))
        t.remove_prefix(1);
    while (!t.empty() && is_blank(t.back()))
        t.remove_suffix(1);
    return t;
}

bool strip(std::string_view& text, std::string_view front) noexcept {
    if (!text.starts_with(front)) return false;
    text = trim(text.substr(front.size()));
    return true;
}
bool strip_end(std::string_view& text, std::string_view back) noexcept {
    if (!text.ends_with(back)) return false;
    text = trim(text.substr(0, text.size() - back.size()));
    return true;
}

std::string_view without_wrappers(std::string_view text) noexcept {
    text = trim(text);
    for (bool found = true; found;)
        found = strip(text, "\xEF\xBB\xBF") || strip(text, "//<![CDATA[") || strip(text, "// <![CDATA[") ||
                strip(text, "/*<![CDATA[*/") || strip(text, "/* <![CDATA[ */") || strip(text, "<![CDATA[") ||
                strip(text, "<!--");
    for (bool found = true; found;)
        found = strip_end(text, "//]]>") || strip_end(text, "// ]]>") || strip_end(text, "/*]]>*/") ||
                strip_end(text, "/* ]]> */") || strip_end(text, "]]>") || strip_end(text, "//-->") ||
                strip_end(text, "-->") || strip_end(text, ";");
    return text;
}

/// Behind a comment that begins at `at`, or `at`.
std::size_t skip_comment(std::string_view text, std::size_t at) noexcept {
    if (text.substr(at).starts_with("//")) return std::min(text.find('\n', at), text.size());
    if (text.substr(at).starts_with("/*")) {
        const auto end = text.find("*/", at + 2);
        return end == none ? text.size() : end + 2;
    }
    return at;
}

class mender {
public:
    explicit mender(std::string_view text) : text_{text} {
        out_.reserve(text.size() + text.size() / 16 + 16);
    }

    std::string run() {
        while (at_ < text_.size())
            step();
        return std::move(out_);
    }

private:
    void step() {
        const char c = text_[at_];
        if (is_blank(c)) {
            ++at_;
            return;
        }
        if (const auto behind = skip_comment(text_, at_); behind != at_) {
            at_ = behind;
            return;
        }
        if (c == '"' || c == '\'') return string(c);
        if ((c == '}' || c == ']') && !out_.empty() && out_.back() == ',') out_.pop_back();
        if (c == '!' && at_ + 1 < text_.size() && (text_[at_ + 1] == '0' || text_[at_ + 1] == '1')) {
            out_ += text_[at_ + 1] == '0' ? "true" : "false";
            at_ += 2;
            return;
        }
        if (is_word(c) && !is_digit(c)) return word();
        if (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]) &&
            (out_.empty() || !is_digit(out_.back())))
            out_ += '0';
        out_ += c;
        ++at_;
        // a number: nothing inside of it is a word
        if (is_digit(c) || c == '-' || c == '+')
            while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.' || text_[at_] == 'e' ||
                                          text_[at_] == 'E' || text_[at_] == '-' || text_[at_] == '+'))
                out_ += text_[at_++];
    }

    void word() {
        const auto from = at_;
        while (at_ < text_.size() && is_word(text_[at_]))
            ++at_;
        const auto found = text_.substr(from, at_ - from);
        auto behind = at_;
        while (behind < text_.size() && is_blank(text_[behind]))
            ++behind;
        if (behind < text_.size() && text_[behind] == ':') {
            out_ += '"';
            out_ += found;
            out_ += '"';
        } else if (found == "undefined" || found == "NaN" || found == "Infinity") {
            out_ += "null";
        } else if (found == "void" && behind < text_.size() && text_[behind] == '0') {
            out_ += "null";
            at_ = behind + 1;
        } else {
            out_ += found;
        }
    }

    void string(char quote) {
        out_ += '"';
        ++at_;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == quote) {
                out_ += '"';
                return;
            }
            if (c == '\\' && at_ < text_.size()) {
                escape(text_[at_++]);
            } else if (c == '"') {
                out_ += "\\\"";
            } else if (static_cast<unsigned char>(c) < 0x20) {
                control(c);
            } else {
                out_ += c;
            }
        }
    }

    void control(char c) {
        switch (c) {
        case '\n':
            out_ += "\\n";
            return;
        case '\r':
            return;
        case '\t':
            out_ += "\\t";
            return;
        default:
            out_ += ' ';
        }
    }

    void escape(char c) {
        constexpr std::string_view known = "\"\\/bfnrt";
        if (known.find(c) != none) {
            out_ += '\\';
            out_ += c;
        } else if (c == 'u' && at_ + 4 <= text_.size() &&
                   std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                               text_.begin() + static_cast<std::ptrdiff_t>(at_) + 4, is_hex)) {
            out_ += "\\u";
        } else if (c == 'x' && at_ + 2 <= text_.size() && is_hex(text_[at_]) && is_hex(text_[at_ + 1])) {
            out_ += "\\u00";
        } else if (c == '\n') {
            return; // JavaScript's continued line
        } else if (static_cast<unsigned char>(c) < 0x20) {
            control(c);
        } else {
            out_ += c; // the backslash meant nothing
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
};

/// The text of a JavaScript string that begins with its quote at `at`.
std::optional<std::string> script_string(std::string_view text, std::size_t at) {
    const auto end = end_of_value(text, at);
    if (!end) return std::nullopt;
    const auto inside = text.substr(at + 1, *end - at - 2);
    std::string out;
    out.reserve(inside.size());
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] != '\\' || i + 1 == inside.size()) {
            out += inside[i];
            continue;
        }
        const char c = inside[++i];
        switch (c) {
        case 'n':
            out += '\n';
            break;
        case 't':
            out += '\t';
            break;
        case 'r':
            out += '\r';
            break;
        case 'u': // JSON itself understands it where it stands in a string, unless it is a quote
            if (inside.substr(i + 1, 4) == "0022") {
                out += '"';
                i += 4;
            } else if (inside.substr(i + 1, 4) == "005C" || inside.substr(i + 1, 4) == "005c") {
                out += '\\';
                i += 4;
            } else {
                out += "\\u";
            }
            break;
        case 'x':
            if (inside.substr(i + 1, 2) == "22") {
                out += '"';
                i += 2;
            } else {
                out += "\\u00";
            }
            break;
        default:
            out += c;
        }
    }
    return out;
}

} // namespace

std::string mend_json(std::string_view text) {
    text = without_wrappers(text);
    std::string decoded;
    const bool is_encoded =
        text.find('"') == none &&
        (text.find("&quot;") != none || text.find("&#34;") != none || text.find("&#x22;") != none);
    if (is_encoded) {
        decoded = decode_entities(text);
        text = without_wrappers(decoded);
    }
    return mender{text}.run();
}

std::optional<std::size_t> end_of_value(std::string_view text, std::size_t at) noexcept {
    if (at >= text.size()) return std::nullopt;
    std::size_t depth = 0;
    for (auto i = at; i < text.size();) {
        const char c = text[i];
        if (c == '"' || c == '\'' || c == '`') {
            ++i;
            while (i < text.size() && text[i] != c)
                i += text[i] == '\\' ? 2 : 1;
            if (i >= text.size()) return std::nullopt;
            ++i;
            if (depth == 0) return i;
            continue;
        }
        if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return std::nullopt;
            if (--depth == 0) return i + 1;
        } else if (c == '/') {
            const auto behind = skip_comment(text, i);
            if (behind != i) {
                i = behind;
                continue;
            }
        } else if (depth == 0) {
            return std::nullopt;
        }
        ++i;
    }
    return std::nullopt;
}

std::optional<std::string> assigned_json(std::string_view script, std::string_view name) {
    constexpr int most_tries = 200; // a value that does not end is looked through to the end
    int tries = 0;
    for (std::size_t at = 0; (at = script.find(name, at)) != none && tries < most_tries;) {
        const auto begin = at;
        at += name.size();
        if (begin > 0 && is_word(script[begin - 1])) continue;
        auto i = at;
        if (i < script.size() && is_word(script[i])) continue;
        const auto skip_blanks = [&] {
            while (i < script.size() && is_blank(script[i]))
                ++i;
        };
        if (i + 1 < script.size() && (script[i] == '"' || script[i] == '\'') && script[i + 1] == ']') i += 2;
        skip_blanks();
        if (i >= script.size()) return std::nullopt;
        if (script[i] == '=') {
            if (++i < script.size() && script[i] == '=') continue;
        } else if (script[i] == '(' || script[i] == ':') {
            ++i;
        } else {
            continue;
        }
        skip_blanks();
        ++tries;
        if (constexpr std::string_view parse = "JSON.parse("; script.substr(i).starts_with(parse)) {
            i += parse.size();
            skip_blanks();
            if (i >= script.size() || (script[i] != '"' && script[i] != '\'' && script[i] != '`')) continue;
            if (auto text = script_string(script, i)) return mend_json(*text);
            continue;
        }
        if (i >= script.size() || (script[i] != '{' && script[i] != '[')) continue;
        if (const auto end = end_of_value(script, i)) return mend_json(script.substr(i, *end - i));
    }
    return std::nullopt;
}

} // namespace tiktrend::sources
