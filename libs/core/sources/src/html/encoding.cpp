#include "html/encoding.hpp"

#include "html/encoding_labels.hpp"
#include "json_strings.hpp"

#include <tiktrend/base/json_text.hpp>

#include <iconv.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tiktrend::sources {
namespace {

constexpr std::size_t prescan_bytes = 4096; ///< browsers look at 1024; pages put their meta later than that
constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// 0x80 to 0x9F of windows-1252.
constexpr std::array<char32_t, 32> windows_1252{
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0) noexcept {
    const auto at =
        std::search(text.begin() + static_cast<std::ptrdiff_t>(std::min(from, text.size())), text.end(),
                    word.begin(), word.end(), [](char a, char b) { return lower(a) == b; });
    return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

/// The value behind `charset =` in a header value or in the content of a <meta>.
std::string_view charset_parameter(std::string_view text) noexcept {
    for (std::size_t at = 0; (at = find_word(text, "charset", at)) != std::string_view::npos;) {
        at += 7;
        auto rest = text.substr(at);
        while (!rest.empty() && is_blank(rest.front()))
            rest.remove_prefix(1);
        if (!rest.starts_with('=')) continue;
        rest.remove_prefix(1);
        while (!rest.empty() && is_blank(rest.front()))
            rest.remove_prefix(1);
        if (rest.empty()) return {};
        if (rest.front() == '"' || rest.front() == '\'') {
            const auto end = rest.find(rest.front(), 1);
            return end == std::string_view::npos ? std::string_view{} : rest.substr(1, end - 1);
        }
        return rest.substr(0, rest.find_first_of(" \t\r\n\f;\"'>/"));
    }
    return {};
}

std::string_view bom_encoding(std::string_view bytes) noexcept {
    if (bytes.starts_with("\xEF\xBB\xBF")) return "utf-8";
    if (bytes.starts_with("\xFE\xFF")) return "utf-16be";
    if (bytes.starts_with("\xFF\xFE")) return "utf-16le";
    return {};
}

bool is_ascii(std::string_view bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

void append_windows_1252(std::string& out, std::string_view bytes) {
    out.reserve(out.size() + bytes.size() + bytes.size() / 8);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80)
            out += c;
        else
            append_utf8(out, byte < 0xA0 ? windows_1252[byte - 0x80] : char32_t{byte});
    }
}

/// iconv's descriptor with its end.
class converter {
public:
    explicit converter(const char* from) : handle_{iconv_open("UTF-8", from)} {}
    ~converter() {
        if (is_good()) iconv_close(handle_);
    }
    converter(const converter&) = delete;
    converter& operator=(const converter&) = delete;
    bool is_good() const noexcept { return handle_ != reinterpret_cast<iconv_t>(-1); }

    /// True if something had to be replaced.
    bool append(std::string& out, std::string_view bytes) {
        std::string copy{bytes}; // iconv wants a pointer that is not const
        char* in = copy.data();
        std::size_t left = copy.size();
        bool has_replacements = false;
        std::array<char, 16 * 1024> chunk;
        while (left > 0 && out.size() < 3 * bytes.size() + 16) {
            char* to = chunk.data();
            std::size_t room = chunk.size();
            const auto done = iconv(handle_, &in, &left, &to, &room);
            out.append(chunk.data(), chunk.size() - room);
            if (done != static_cast<std::size_t>(-1)) continue;
            if (errno == E2BIG) continue;
            has_replacements = true;
            out += replacement;
            if (errno == EINVAL) break; // a character that is cut off at the end
            ++in;
            --left;
        }
        return has_replacements;
    }

private:
    iconv_t handle_;
};

} // namespace

std::string_view declared_charset(std::string_view bytes) noexcept {
    const auto head = bytes.substr(0, prescan_bytes);
    if (head.starts_with("<?xml")) {
        const auto declaration = head.substr(0, head.find("?>"));
        if (const auto at = find_word(declaration, "encoding"); at != std::string_view::npos) {
            const auto open = declaration.find_first_of("\"'", at);
            if (open != std::string_view::npos) {
                const auto close = declaration.find(declaration[open], open + 1);
                if (close != std::string_view::npos) return declaration.substr(open + 1, close - open - 1);
            }
        }
    }
    for (std::size_t at = 0; (at = head.find('<', at)) != std::string_view::npos;) {
        const auto tag = head.substr(at);
        if (tag.starts_with("<!--")) {
            const auto end = head.find("-->", at + 2);
            if (end == std::string_view::npos) return {};
            at = end + 3;
            continue;
        }
        ++at;
        if (find_word(tag.substr(0, 5), "<meta") != 0 || tag.size() < 6 ||
            !(is_blank(tag[5]) || tag[5] == '/'))
            continue;
        const auto close = tag.find('>');
        if (close == std::string_view::npos) return {};
        const auto inside = tag.substr(0, close);
        const auto label = charset_parameter(inside);
        if (encoding_of_label(label) != nullptr) return label;
    }
    return {};
}

std::string_view encoding_of(std::string_view bytes, std::string_view content_type) noexcept {
    if (const auto by_bom = bom_encoding(bytes); !by_bom.empty()) return by_bom;
    if (const auto* given = encoding_of_label(charset_parameter(content_type)); given != nullptr)
        return given->name;
    if (const auto* given = encoding_of_label(declared_charset(bytes)); given != nullptr)
        return given->name.starts_with("utf-16") ? "utf-8" : given->name; // it could not have been read
    const bool is_utf8 = !is_ascii(bytes) && simdjson::validate_utf8(bytes.data(), bytes.size());
    return is_utf8 ? "utf-8" : "windows-1252";
}

decoded_text decode_text(std::string_view bytes, std::string_view content_type, std::string& storage) {
    decoded_text out;
    out.encoding = encoding_of(bytes, content_type);
    if (bytes.starts_with("\xEF\xBB\xBF"))
        bytes.remove_prefix(3);
    else if (!bom_encoding(bytes).empty())
        bytes.remove_prefix(2);
    out.text = bytes;
    const auto* encoding = encoding_of_label(out.encoding);
    if (out.encoding == "utf-8") {
        if (!simdjson::validate_utf8(bytes.data(), bytes.size())) {
            storage = repair_utf8(bytes);
            out.text = storage;
            out.has_replacements = true;
        }
    } else if (out.encoding == "windows-1252") {
        if (!is_ascii(bytes)) {
            storage.clear();
            append_windows_1252(storage, bytes);
            out.text = storage;
        }
    } else {
        converter from{encoding->iconv.data()};
        storage.clear();
        if (from.is_good()) {
            out.has_replacements = from.append(storage, bytes);
        } else { // this system's iconv lacks it
            storage = repair_utf8(bytes);
            out.has_replacements = true;
        }
        out.text = storage;
    }
    if (out.text.find('\0') != std::string_view::npos) {
        if (out.text.data() != storage.data()) storage = out.text;
        std::erase(storage, '\0');
        out.text = storage;
    }
    return out;
}

} // namespace tiktrend::sources
