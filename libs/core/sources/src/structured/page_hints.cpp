#include "structured/page_hints.hpp"

#include "json_strings.hpp"
#include "values/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace tiktrend::sources {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Words in lower case; letters beyond ASCII count as they are.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    const auto end = [&] {
        if (!word.empty()) out.push_back(std::move(word));
        word.clear();
    };
    for (const char c : text.substr(0, 500)) {
        const bool is_part =
            (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || static_cast<signed char>(c) < 0;
        if (is_part)
            word += lower(c);
        else
            end();
    }
    end();
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

struct address_parts {
    std::string_view host;
    std::string_view path;
};

address_parts parts_of(std::string_view url) noexcept {
    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("?#"));
    const auto slash = std::min(url.find('/'), url.size());
    auto host = url.substr(0, slash);
    if (host.starts_with("www.")) host.remove_prefix(4);
    auto path = url.substr(slash);
    while (path.ends_with('/'))
        path.remove_suffix(1);
    return {host, path};
}

/// Languages that are spoken mostly in one country.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> homes{
    {{"de", "DE"}, {"fr", "FR"}, {"it", "IT"}, {"es", "ES"}, {"pt", "PT"}, {"nl", "NL"}, {"pl", "PL"},
     {"cs", "CZ"}, {"sk", "SK"}, {"hu", "HU"}, {"ro", "RO"}, {"bg", "BG"}, {"sv", "SE"}, {"da", "DK"},
     {"nb", "NO"}, {"no", "NO"}, {"fi", "FI"}, {"is", "IS"}, {"ja", "JP"}, {"ko", "KR"}, {"tr", "TR"},
     {"ru", "RU"}, {"uk", "UA"}, {"he", "IL"}, {"th", "TH"}, {"vi", "VN"}}};

} // namespace

void set_locale(page_hints& out, std::string_view tag) {
    for (const char c : tag.substr(0, tag.find_first_of("-_")))
        out.language += lower(c);
    if (out.language.size() > 3) out.language.clear();
    const auto dash = tag.find_first_of("-_");
    if (dash != std::string_view::npos && tag.size() == dash + 3)
        for (const char c : tag.substr(dash + 1))
            out.country += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    auto host = parts_of(out.url).host;
    host = host.substr(0, host.find(':'));
    const auto ending = host.substr(std::min(host.rfind('.'), host.size()));
    constexpr std::array<std::string_view, 9> generic{".io", ".co", ".me", ".tv", ".ai",
                                                      ".eu", ".cc", ".gg", ".to"};
    const bool is_country =
        ending.size() == 3 && std::find(generic.begin(), generic.end(), ending) == generic.end();
    if (is_country) { // where the shop is says more than how its page is labelled
        out.country.clear();
        for (const char c : ending.substr(1))
            out.country += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        if (out.country == "UK") out.country = "GB";
    }
    if (!out.country.empty()) return;
    for (const auto& [language, country] : homes)
        if (out.language == language) out.country = country;
}

page_hints hints_of(html_document& page, std::string_view url) {
    page_hints out;
    out.url = url;
    std::vector<std::string> headings;
    std::string tag;
    const auto root = page.root();
    for (auto at = root; at.exists(); at = next_in_order(at, root)) {
        const auto name = at.name();
        if (name == "html") {
            tag = at.attribute("lang");
        } else if (name == "title" && out.page_title.empty() && at.parent().name() == "head") {
            out.page_title = at.text(1000);
        } else if (name == "h1" && headings.size() < 10) {
            if (auto text = at.text(1000); !text.empty()) headings.push_back(collapse_blanks(text));
        } else if (name == "link" && out.canonical.empty() && at.attribute("rel") == "canonical") {
            out.canonical = at.attribute("href");
        } else if (name == "meta") {
            const auto property =
                at.has_attribute("property") ? at.attribute("property") : at.attribute("name");
            if (property == "og:title" && out.og_title.empty())
                out.og_title = collapse_blanks(at.attribute("content"));
            else if (property == "og:url" && out.canonical.empty())
                out.canonical = at.attribute("content");
        }
    }
    set_locale(out, tag);
    double best = -1;
    for (const auto& heading : headings) {
        const auto agreement = std::max(likeness(heading, out.og_title), likeness(heading, out.page_title));
        if (agreement <= best) continue;
        best = agreement;
        out.heading = heading;
    }
    return out;
}

double likeness(std::string_view a, std::string_view b) {
    const auto x = words_of(a);
    const auto y = words_of(b);
    if (x.empty() || y.empty()) return 0;
    std::vector<std::string> both;
    std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
    return static_cast<double>(both.size()) / static_cast<double>(std::min(x.size(), y.size()));
}

double likeness(std::string_view title, const page_hints& page) {
    return std::max(
        {likeness(title, page.heading), likeness(title, page.og_title), likeness(title, page.page_title)});
}

bool is_same_page(std::string_view a, std::string_view b) noexcept {
    if (a.empty() || b.empty()) return false;
    const auto x = parts_of(a);
    const auto y = parts_of(b);
    return x.path == y.path && (x.host == y.host || x.host.empty() || y.host.empty()) && x.path.size() > 1;
}

} // namespace tiktrend::sources
