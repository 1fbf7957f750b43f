#include "structured/visible_product.hpp"

#include "json_object_writer.hpp"
#include "structured/price_candidates.hpp"
#include "values/currency_sign.hpp"
#include "values/gtin.hpp"
#include "values/text.hpp"
#include "values/truth.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_elements = 100'000;

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

bool is_code(std::string_view text) noexcept {
    if (text.size() < 3 || text.size() > 40) return false;
    bool has_digit = false;
    for (const char c : text) {
        const bool is_digit = c >= '0' && c <= '9';
        has_digit = has_digit || is_digit;
        if (!is_digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' && c != '_' &&
            c != '.' && c != '/')
            return false;
    }
    return has_digit;
}

/// What stands behind one of the labels in a short text: "SKU: 4711" → "4711".
template <std::size_t N>
std::string labelled(std::string_view text, const std::array<std::string_view, N>& labels) {
    const auto small = lower(text);
    for (const auto label : labels) {
        if (!small.starts_with(label)) continue;
        auto rest = text.substr(label.size());
        const auto from = rest.find_first_not_of(" \n:.#-\xC2\xA0");
        if (from == std::string_view::npos) continue;
        if (from == 0 && label.back() != ':') continue; // a longer word
        rest.remove_prefix(from);
        rest = rest.substr(0, rest.find_first_of(" \n,;)"));
        if (is_code(rest)) return std::string{rest};
    }
    return {};
}

constexpr std::array<std::string_view, 21> sku_labels{
    "sku",           "product code",   "item code",  "item number",   "item no",
    "product id",    "article number", "model no",   "part number",   "post id",
    "artikelnummer", "artikel-nr",     "art.-nr",    "bestellnummer", "référence",
    "ref",           "referencia",     "referência", "kod produktu",  "produktnummer",
    "артикул"};
constexpr std::array<std::string_view, 6> gtin_labels{"ean", "gtin", "upc", "isbn", "isbn-13", "barcode"};

/// Class names that tell of stock; phrases in them are taken for what they say.
constexpr std::array<std::string_view, 12> stock_names{"stock",  "availab",   "sklad",    "dostup",
                                                       "dispon", "verfugbar", "lagerst",  "lager",
                                                       "наличи", "lieferbar", "voorraad", "delivery-status"};

class reader {
public:
    reader(html_document& page, const page_hints& hints) : page_{page}, hints_{hints} {}

    std::optional<std::string> run() {
        auto name = hints_.heading;
        if (name.empty()) name = hints_.og_title;
        const auto prices = price_candidates(page_, hints_);
        if (name.empty() && prices.empty()) return std::nullopt;
        if (name.empty()) name = hints_.page_title.substr(0, hints_.page_title.find(" | "));
        look_for_codes();
        std::string out;
        write(out, name, prices);
        return out;
    }

private:
    void write(std::string& out, const std::string& name, const std::vector<price_candidate>& prices) {
        json_object_writer object{out};
        object.text("name", name);
        object.text("sku", sku_.empty() ? form_id_ : sku_);
        object.text("gtin", gtin_);
        object.key("offers");
        out += '[';
        offer(out, prices);
        out += ']';
    }

    void offer(std::string& out, const std::vector<price_candidate>& prices) {
        const price_candidate* now = nullptr;
        const price_candidate* before = nullptr;
        for (const auto& p : prices) {
            if (!p.is_old && now == nullptr) now = &p;
            if (p.is_old && before == nullptr) before = &p;
        }
        json_object_writer offer{out};
        if (now != nullptr) {
            offer.text("price", now->text);
            if (before != nullptr && before->score > now->score - 6) offer.text("listPrice", before->text);
            auto currency = currency_in(now->text, hints_.country);
            for (auto up = now->node.parent(); !currency && up.exists() && up.name() != "body";
                 up = up.parent()) {
                const auto around = up.text(200);
                if (around.size() >= 200) break;
                currency = currency_in(around, hints_.country);
            }
            if (currency) offer.text("priceCurrency", *currency);
        }
        offer.text("availability", availability_.empty() && has_cart_ ? "InStock" : availability_);
    }

    void look_for_codes() {
        const auto root = page_.root();
        std::size_t seen = 0;
        for (auto at = root; at.exists() && ++seen < most_elements; at = next_in_order(at, root)) {
            if (!at.is_element()) continue;
            const auto name = at.name();
            if (name == "input") {
                form_field(at);
                continue;
            }
            if (name == "script" || name == "style" || name == "head" || name == "a") continue;
            const auto names = lower(at.attribute("class"));
            const bool tells_stock = std::any_of(stock_names.begin(), stock_names.end(), [&](auto part) {
                return names.find(part) != std::string::npos;
            });
            if (tells_stock && availability_.empty()) stock(at);
            if (!has_cart_ && is_cart(names) && has_button(at) && !is_aside(at)) has_cart_ = true;
            if (!sku_.empty() && !gtin_.empty()) continue;
            if (!is_short(at)) continue;
            const auto text = at.text(120);
            if (text.empty() || text.size() > 100) continue;
            if (sku_.empty()) sku_ = labelled(text, sku_labels);
            if (gtin_.empty())
                if (auto code = labelled(text, gtin_labels); is_gtin(code)) gtin_ = std::move(code);
        }
    }

    static bool is_cart(std::string_view names) noexcept {
        for (const std::string_view name :
             {"add-to-cart", "addtocart", "add_to_cart", "add-to-basket", "addtobasket"})
            if (names.find(name) != std::string_view::npos) return true;
        return false;
    }

    /// What can be put into a cart can be had: a button below that is not switched off.
    static bool has_button(html_node node) noexcept {
        int seen = 0;
        for (auto at = node; at.exists() && ++seen < 50; at = next_in_order(at, node)) {
            const bool is_button =
                at.name() == "button" || (at.name() == "input" && at.attribute("type") == "submit");
            if (is_button && !at.has_attribute("disabled")) return true;
        }
        return false;
    }

    /// Few children: a label and its value, not a part of the page.
    static bool is_short(html_node node) noexcept {
        int children = 0;
        for (auto c = node.first_child(); c.exists(); c = c.next())
            if (++children > 6) return false;
        return children > 0;
    }

    /// <input type=hidden name=ProductId value=…> whose value is part of the address.
    void form_field(html_node node) {
        if (!form_id_.empty()) return;
        std::string name;
        for (const char c : lower(node.attribute("name")))
            if (c >= 'a' && c <= 'z') name += c;
        const bool is_id = name == "productid" || name == "sku" || name == "itemid" ||
                           name == "productcode" || name == "articleid" || name == "idproduct";
        const auto value = node.attribute("value");
        const bool is_part =
            hints_.url.find(value) != std::string::npos || hints_.canonical.find(value) != std::string::npos;
        if (is_id && value.size() >= 4 && is_code(value) && is_part) form_id_ = value;
    }

    void stock(html_node node) {
        const auto text = node.text(200);
        if (text.empty() || text.size() > 120 || is_aside(node)) return;
        if (const auto is_there = availability_from_text(text))
            availability_ = *is_there ? "InStock" : "OutOfStock";
        else
            availability_ = stock_by_class(lower(node.attribute("class")));
    }

    /// "12 left" is no phrase that everybody uses, but shop systems say the same in a class.
    static std::string stock_by_class(std::string_view names) {
        for (const std::string_view gone : {"out-of-stock", "outofstock", "sold-out", "soldout"})
            if (names.find(gone) != std::string_view::npos) return "OutOfStock";
        for (const std::string_view there : {"in-stock", "instock"})
            if (names.find(there) != std::string_view::npos) return "InStock";
        return {};
    }

    html_document& page_;
    const page_hints& hints_;
    std::string sku_;
    std::string form_id_;
    std::string gtin_;
    std::string availability_;
    bool has_cart_ = false; ///< a button that puts the thing into a cart
};

} // namespace

std::optional<std::string> visible_product(html_document& page, const page_hints& hints) {
    if (!page.root().exists()) return std::nullopt;
    return reader{page, hints}.run();
}

} // namespace tiktrend::sources
