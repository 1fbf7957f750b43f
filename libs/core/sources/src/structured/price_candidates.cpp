#include "structured/price_candidates.hpp"

#include "values/currency_sign.hpp"
#include "values/money.hpp"
#include "values/number_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tiktrend::sources {
namespace {

constexpr std::size_t longest_price = 60;
constexpr std::size_t most_looked_at = 20'000; ///< elements whose text is read
constexpr int levels_up = 4;

std::string lower_names(html_node node) {
    std::string out;
    for (const auto* name : {"class", "id", "itemprop", "data-testid", "data-role", "data-price-type"})
        if (const auto value = node.attribute(name); !value.empty()) {
            out += ' ';
            for (const char c : value.substr(0, 300))
                out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        }
    return out;
}

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& parts) noexcept {
    return std::any_of(parts.begin(), parts.end(),
                       [&](auto p) { return text.find(p) != std::string_view::npos; });
}

constexpr std::array<std::string_view, 16> price_words{
    "price", "prix",  "preis", "precio", "preco", "preço", "prezzo", "cena",
    "pris",  "fiyat", "prijs", "amount", "ár-",   "pret-", "hinta",  "цена"};
constexpr std::array<std::string_view, 9> current_words{"current", "final", "sale",  "special", "now",
                                                        "actual",  "offer", "promo", "main"};
constexpr std::array<std::string_view, 13> old_words{
    "old",     "was",    "regular-price", "list-price", "rrp",    "msrp",    "strike",
    "crossed", "before", "original",      "compare",    "retail", "previous"};
constexpr std::array<std::string_view, 20> other_words{
    "saving", "save",  "discount", "percent",    "shipping", "delivery", "postage",
    "instal", "month", "per-unit", "unit-price", "perunit",  "points",   "bonus",
    "total",  "cart",  "basket",   "deposit",    "voucher",  "rate"};
constexpr std::array<std::string_view, 17> aside_words{
    "related", "recommend",  "similar",    "upsell",  "crosssell", "cross-sell",
    "footer",  "navigation", "navbar",     "menu",    "sidebar",   "recently",
    "viewed",  "bestsell",   "alsobought", "widget-", "breadcrumb"};
constexpr std::array<std::string_view, 5> aside_elements{"nav", "footer", "aside", "select", "button"};

/// Whether a browser shows it: not what waits in templates or is switched off where it stands.
bool is_hidden(html_node node) {
    for (; node.exists() && node.name() != "body"; node = node.parent()) {
        const auto name = node.name();
        if (name == "template" || name == "noscript" || node.has_attribute("hidden")) return true;
        std::string style;
        for (const char c : std::string_view{node.attribute("style")}.substr(0, 500))
            if (c != ' ') style += c;
        if (style.find("display:none") != std::string::npos ||
            style.find("visibility:hidden") != std::string::npos)
            return true;
    }
    return false;
}

bool is_struck(html_node node) noexcept {
    const auto name = node.name();
    return name == "del" || name == "s" || name == "strike";
}

/// One amount, or a range of two, and little else.
bool looks_like_price(const std::string& text, bool has_sign) {
    if (text.empty() || text.size() > longest_price) return false;
    const number_text scanned{text};
    const auto count = scanned.numbers().size();
    if (count == 0 || count > 2) return false;
    if (count == 2 && !has_range_dash(scanned.after(0))) return false;
    if (scanned.after(count - 1).find('%') != std::string_view::npos) return false;
    std::size_t letters = 0;
    for (const char c : text)
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<signed char>(c) < 0;
    return letters < (has_sign ? 30U : 12U);
}

int depth_of(html_node node) noexcept {
    int out = 0;
    for (; node.exists(); node = node.parent())
        ++out;
    return out;
}

/// Levels from `heading` up to the nearest element that holds both.
int levels_to_common(html_node heading, html_node node) noexcept {
    int levels = 0;
    const int up = depth_of(heading);
    auto a = heading;
    auto b = node;
    int da = up;
    int db = depth_of(node);
    while (a.exists() && b.exists() && a != b) {
        if (da >= db) {
            a = a.parent();
            --da;
            ++levels;
        } else {
            b = b.parent();
            --db;
        }
    }
    return levels;
}

/// The element that shows the page's heading.
html_node heading_of(html_document& page, const page_hints& hints) {
    html_node best;
    double agreement = 0.7;
    const auto root = page.root();
    for (auto at = root; at.exists(); at = next_in_order(at, root)) {
        const auto name = at.name();
        if (name != "h1" && name != "h2" && name != "h3") continue;
        const auto how = likeness(at.text(500), hints) + (name == "h1" ? 0.05 : 0);
        if (how <= agreement) continue;
        best = at;
        agreement = how;
    }
    return best;
}

} // namespace

bool is_aside(html_node node) {
    for (; node.exists() && node.name() != "body"; node = node.parent()) {
        const auto name = node.name();
        if (std::find(aside_elements.begin(), aside_elements.end(), name) != aside_elements.end())
            return true;
        if (has_any(lower_names(node), aside_words)) return true;
    }
    return false;
}

std::vector<price_candidate> price_candidates(html_document& page, const page_hints& hints) {
    std::vector<price_candidate> out;
    const auto root = page.root();
    const auto heading = heading_of(page, hints);
    bool is_behind = !heading.exists();
    double distance = 0;
    std::size_t looked_at = 0;
    for (auto at = root; at.exists() && looked_at < most_looked_at; at = next_in_order(at, root)) {
        if (!at.is_element()) continue;
        const auto name = at.name();
        if (name == "script" || name == "style" || name == "head" || name == "option") continue;
        if (at == heading) is_behind = true;
        if (is_behind) distance += 1;
        const auto own = lower_names(at);
        const bool is_called = has_any(own, price_words);
        // Only what has text of its own, or is called a price.
        bool has_text = is_called;
        for (auto child = at.first_child(); child.exists() && !has_text; child = child.next())
            has_text =
                child.is_text() && child.content().find_first_of("0123456789") != std::string_view::npos;
        if (!has_text) continue;
        ++looked_at;
        price_candidate candidate{at, at.text(longest_price + 2), 0, is_struck(at)};
        if (candidate.text.empty() && !at.attribute("content").empty())
            candidate.text = at.attribute("content");
        const bool has_sign = currency_in(candidate.text, hints.country).has_value();
        if (!looks_like_price(candidate.text, has_sign) || is_hidden(at)) continue;

        double score = has_sign ? 3 : 0;
        if (is_called) score += 5;
        if (own.find("itemprop") != std::string::npos && own.find(" price") != std::string::npos) score += 2;
        if (has_any(own, current_words)) score += 2;
        candidate.is_old = candidate.is_old || has_any(own, old_words);
        if (has_any(own, other_words)) score -= 8;
        auto up = at.parent();
        for (int i = 0; i < levels_up && up.exists(); ++i, up = up.parent()) {
            const auto around = lower_names(up);
            if (!is_called && i < 3 && has_any(around, price_words)) score += 3.0 / (i + 1);
            if (i < 2 && has_any(around, current_words)) score += 1;
            if (i < 2 && has_any(around, old_words) && !has_any(own, current_words)) candidate.is_old = true;
            if (i < 2 && has_any(around, other_words)) score -= 5;
            candidate.is_old = candidate.is_old || is_struck(up);
        }
        if (is_aside(at)) score -= 10;
        if (heading.exists()) {
            score += std::max(0, 6 - levels_to_common(heading, at));
            score += is_behind ? std::max(0.0, 3 - distance / 100) : -2;
        }
        candidate.score = score - 0.001 * static_cast<double>(out.size());
        if (candidate.score >= 5) out.push_back(std::move(candidate));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    if (out.size() > 50) out.resize(50);
    return out;
}

} // namespace tiktrend::sources
