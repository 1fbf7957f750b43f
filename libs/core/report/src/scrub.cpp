#include <tiktrend/report/scrub.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace tiktrend::report {
namespace {

constexpr std::string_view filtered = "[Filtered]";

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}
/// What tokens are made of (RFC 6750 b64token), and the dots of a JSON Web Token.
bool is_token(char c) {
    return is_word(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}
bool ends_value(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '&' || c == '"' || c == '\'' ||
           c == ',' || c == ';' || c == ')';
}

/// Length of the part from `at` on that `is` says belongs to it.
template <class F>
std::size_t run_of(std::string_view text, std::size_t at, F is) {
    std::size_t n = 0;
    while (at + n < text.size() && is(text[at + n]))
        ++n;
    return n;
}

/// Where the secret starts that a scheme word at `at` announces; npos: none.
std::size_t after_scheme(std::string_view low, std::size_t at) {
    for (const std::string_view word : {"bearer ", "basic "})
        if (low.substr(at).starts_with(word)) return at + word.size();
    return std::string_view::npos;
}

/// The length of user information behind "://", with its "@"; 0: none.
std::size_t user_info(std::string_view text, std::size_t at) {
    const auto end = text.find_first_of("/?# \t\r\n\"'", at);
    const auto host = text.substr(at, end == std::string_view::npos ? end : end - at);
    const auto sign = host.rfind('@');
    return sign == std::string_view::npos ? 0 : sign + 1;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Names whose value may stand behind ": ", as in a header field. A "token: " may well begin a sentence.
bool is_field_name(std::string_view name) {
    static constexpr std::array words{"cookie", "api-key", "api_key", "apikey", "passw"};
    const auto low = lower(name);
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view w) { return low.find(w) != std::string::npos; });
}

struct part {
    std::size_t begin = 0, end = 0; ///< equal: none
};

/// What stands in quotes from `at` on, where the first of them is; to the end if nobody closes them.
part quoted(std::string_view text, std::size_t at) {
    auto end = at + 1;
    while (end < text.size() && text[end] != text[at])
        end += text[end] == '\\' ? 2 : 1;
    return {at, std::min(end + 1, text.size())};
}

/// The value that belongs to a name that ends at `at`: NAME=value, NAME='a value', "NAME": "value", NAME:
/// value.
part value_of(std::string_view text, std::string_view name, std::size_t at) {
    const bool is_member = at < text.size() && text[at] == '"'; // of a JSON object
    if (is_member) at += 1 + run_of(text, at + 1, is_blank);
    if (at >= text.size() || (text[at] != ':' && (is_member || text[at] != '='))) return {};
    const bool is_colon = text[at++] == ':';
    const auto blanks = run_of(text, at, is_blank);
    if (blanks > 0 && !is_member && !(is_colon && is_field_name(name))) return {};
    const auto to_line_end = blanks > 0 && !is_member;
    at += blanks;
    if (at >= text.size()) return {};
    if (text[at] == '"' || text[at] == '\'') return quoted(text, at);
    const auto goes_on = [&](char c) {
        if (is_member) return c != ',' && c != '}' && c != ']';
        return to_line_end ? c != '\r' && c != '\n' && c != '"' : !ends_value(c);
    };
    return {at, at + run_of(text, at, goes_on)};
}

/// At most `max_bytes`, no character cut in two.
std::string_view first_of(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0U) == 0x80U)
        --max_bytes;
    return text.substr(0, max_bytes);
}

} // namespace

bool is_secret_name(std::string_view name) {
    static constexpr std::array words{"password",      "passwd",     "secret",  "token",
                                      "authorization", "cookie",     "api_key", "apikey",
                                      "api-key",       "credential", "dsn",     "private"};
    const auto low = lower(name);
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view w) { return low.find(w) != std::string::npos; });
}

std::string scrub(std::string_view text, std::size_t max_bytes) {
    text = first_of(text, max_bytes);
    const auto low = lower(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const bool starts_word = i == 0 || !is_word(text[i - 1]);
        if (text.substr(i).starts_with("://")) {
            out += "://";
            i += 3;
            if (const auto n = user_info(text, i)) {
                out.append(filtered).append("@");
                i += n;
            }
        } else if (const auto value = starts_word ? after_scheme(low, i) : std::string_view::npos;
                   value != std::string_view::npos && run_of(text, value, is_token) >= 6) {
            out.append(text.substr(i, value - i)).append(filtered);
            i = value + run_of(text, value, is_token);
        } else if (starts_word && (low.compare(i, 4, "ttk_") == 0 || text.substr(i).starts_with("eyJ"))) {
            out.append(filtered);
            i += run_of(text, i, is_token);
        } else if (starts_word && is_word(text[i])) {
            const auto n = run_of(text, i, is_word);
            const auto name = text.substr(i, n);
            out.append(name);
            i += n;
            if (!is_secret_name(name)) continue;
            const auto secret = value_of(text, name, i);
            if (secret.begin == secret.end) continue;
            out.append(text.substr(i, secret.begin - i)).append(filtered);
            i = secret.end;
        } else {
            out += text[i++];
        }
    }
    return out;
}

} // namespace tiktrend::report
