#include "html/raw_html.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace tiktrend::sources {
namespace {

constexpr auto none = std::string_view::npos;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
bool is_letter(char c) noexcept {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

bool equals_lower(std::string_view text, std::string_view word) noexcept {
    return text.size() == word.size() &&
           std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) { return lower(a) == b; });
}

/// One tag: its name and where the attributes and the tag end.
struct tag {
    std::string_view name;
    bool is_end = false;
    std::size_t begin = 0;      ///< offset of '<'
    std::size_t attributes = 0; ///< offset behind the name
    std::size_t end = 0;        ///< offset behind '>'
    std::size_t cut = 0;        ///< offset of the attribute behind the last that is kept; 0: all are
};

/// Reads the tag whose name begins at `at`. Quotes protect '>' only where a value begins, as in browsers.
tag read_tag(std::string_view html, std::size_t at) noexcept {
    tag out;
    auto i = at;
    while (i < html.size() && !is_blank(html[i]) && html[i] != '>' && html[i] != '/')
        ++i;
    out.name = html.substr(at, i - at);
    out.attributes = i;
    std::size_t count = 0;
    while (i < html.size() && html[i] != '>') {
        if (is_blank(html[i]) || html[i] == '/') {
            ++i;
            continue;
        }
        if (++count == max_attributes + 1) out.cut = i;
        while (i < html.size() && !is_blank(html[i]) && html[i] != '=' && html[i] != '>' && html[i] != '/')
            ++i;
        auto value = i;
        while (value < html.size() && is_blank(html[value]))
            ++value;
        if (value >= html.size() || html[value] != '=') {
            if (i < html.size() && html[i] == '=') ++i;
            continue;
        }
        ++value;
        while (value < html.size() && is_blank(html[value]))
            ++value;
        if (value < html.size() && (html[value] == '"' || html[value] == '\'')) {
            const auto close = html.find(html[value], value + 1);
            i = close == none ? html.size() : close + 1;
        } else {
            while (value < html.size() && !is_blank(html[value]) && html[value] != '>')
                ++value;
            i = value;
        }
    }
    out.end = std::min(i + 1, html.size());
    return out;
}

/// The offset of "</name" from `at` on, or the end of the page.
std::size_t find_end_tag(std::string_view html, std::size_t at, std::string_view name) noexcept {
    while ((at = html.find("</", at)) != none) {
        const auto behind = at + 2 + name.size();
        if (equals_lower(html.substr(at + 2, name.size()), name) &&
            (behind >= html.size() || is_blank(html[behind]) || html[behind] == '>' || html[behind] == '/'))
            return at;
        at += 2;
    }
    return html.size();
}

bool is_raw_text(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 6> names{"script", "style", "textarea", "title", "noembed", "xmp"};
    return std::any_of(names.begin(), names.end(), [&](auto n) { return equals_lower(name, n); });
}

/// Calls visit(tag, text_begin, text_end) for every tag; the text is empty but for raw text elements.
template <class Visit>
void each_tag(std::string_view html, Visit&& visit) {
    for (std::size_t at = 0; (at = html.find('<', at)) != none;) {
        if (html.substr(at).starts_with("<!--")) {
            const auto end = html.find("-->", at + 2);
            if (end == none) return;
            at = end + 3;
            continue;
        }
        const auto begin = at++;
        const bool is_end = at < html.size() && html[at] == '/';
        if (is_end) ++at;
        if (at >= html.size() || !is_letter(html[at])) continue;
        auto t = read_tag(html, at);
        t.is_end = is_end;
        t.begin = begin;
        if (is_end || !is_raw_text(t.name)) {
            if (!visit(t, t.end, t.end)) return;
            at = t.end;
            continue;
        }
        std::string name{t.name};
        for (auto& c : name)
            c = lower(c);
        const auto close = find_end_tag(html, t.end, name);
        if (!visit(t, t.end, close)) return;
        if (close == html.size()) return;
        at = close;
    }
}

} // namespace

std::string_view script_block::attribute(std::string_view name) const noexcept {
    const auto all = attributes;
    for (std::size_t i = 0; i < all.size();) {
        if (is_blank(all[i]) || all[i] == '/') {
            ++i;
            continue;
        }
        const auto from = i;
        while (i < all.size() && !is_blank(all[i]) && all[i] != '=' && all[i] != '/')
            ++i;
        const auto found = all.substr(from, i - from);
        while (i < all.size() && is_blank(all[i]))
            ++i;
        if (i >= all.size() || all[i] != '=') {
            if (found.empty()) ++i;
            continue;
        }
        ++i;
        while (i < all.size() && is_blank(all[i]))
            ++i;
        std::string_view value;
        if (i < all.size() && (all[i] == '"' || all[i] == '\'')) {
            const auto close = std::min(all.find(all[i], i + 1), all.size());
            value = all.substr(i + 1, close - i - 1);
            i = std::min(close + 1, all.size());
        } else {
            const auto start = i;
            while (i < all.size() && !is_blank(all[i]))
                ++i;
            value = all.substr(start, i - start);
        }
        if (equals_lower(found, name)) return value;
    }
    return {};
}

std::vector<script_block> find_scripts(std::string_view html) {
    std::vector<script_block> out;
    each_tag(html, [&](const tag& t, std::size_t begin, std::size_t end) {
        if (!t.is_end && equals_lower(t.name, "script")) {
            const auto attributes_end = std::max(t.attributes, t.end > 0 ? t.end - 1 : 0);
            out.push_back({html.substr(t.attributes, attributes_end - t.attributes),
                           html.substr(begin, end - begin), end < html.size()});
        }
        return out.size() < max_scripts;
    });
    return out;
}

std::string tame_html(std::string_view html) {
    constexpr std::size_t many_end_tags = 50'000;
    std::size_t end_tags = 0;
    for (std::size_t at = 0; (at = html.find("</", at)) != none && end_tags < many_end_tags; at += 2)
        ++end_tags;
    const bool checks_ends = end_tags == many_end_tags;

    std::string out;
    std::size_t copied = 0;
    const auto skip_to = [&](std::size_t from, std::size_t to) {
        out.append(html, copied, from - copied);
        copied = std::max(from, to);
    };
    std::unordered_map<std::string, std::size_t> open;
    each_tag(html, [&](const tag& t, std::size_t, std::size_t) {
        if (t.cut != 0) skip_to(t.cut, t.end - 1); // up to the '>'
        if (!checks_ends) return true;
        std::string name{t.name.substr(0, 32)};
        for (auto& c : name)
            c = lower(c);
        if (!t.is_end) {
            if (open.size() < 10'000) ++open[name];
        } else if (const auto found = open.find(name); found != open.end() && found->second > 0) {
            --found->second;
        } else {
            skip_to(t.begin, t.end);
        }
        return true;
    });
    if (copied == 0) return {};
    out.append(html, copied);
    return out;
}

} // namespace tiktrend::sources
