#include "structured/state_product.hpp"

#include "json_object_writer.hpp"
#include "structured/framework_state.hpp"
#include "structured/lenient_json.hpp"
#include "values/truth.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_nodes = 200'000; ///< of one script that are looked at
constexpr std::size_t most_bytes = 8 << 20; ///< of all scripts that are parsed
constexpr std::size_t most_near = 4'000;    ///< nodes around a title
constexpr int most_titles = 20'000;         ///< of one page that are compared with its own
constexpr std::size_t most_variants = 200;  ///< whose stock is looked at
constexpr double least_likeness = 0.75;

using names = std::array<std::string_view, 12>;

// In lower case without separators; earlier ones are better. Empty ones fill the row.
constexpr names title_names{"producttitle",
                            "productname",
                            "title",
                            "name",
                            "displayname",
                            "productdisplayname",
                            "fullname",
                            "itemname",
                            "",
                            "",
                            "",
                            ""};
constexpr names price_names{"saleprice",    "currentprice", "finalprice", "specialprice",
                            "sellingprice", "now",          "offerprice", "price",
                            "priceamount",  "amount",       "value",      "unitprice"};
constexpr names list_names{"listprice",
                           "regularprice",
                           "was",
                           "oldprice",
                           "originalprice",
                           "compareatprice",
                           "msrp",
                           "rrp",
                           "wasprice",
                           "",
                           "",
                           ""};
constexpr names currency_names{
    "currency", "currencycode", "pricecurrency", "currencyiso", "currencyisocode", "", "", "", "", "", "",
    ""};
constexpr names stock_names{
    "availability", "stockstatus",      "availabilitystatus", "instock",     "isinstock", "available",
    "isavailable",  "availabletoorder", "availableforsale",   "purchasable", "",          ""};
constexpr names sku_names{"sku",  "skuid", "productid", "partnumber", "itemnumber", "articlenumber",
                          "code", "id",    "",          "",           "",           ""};
constexpr names gtin_names{"gtin13", "gtin",   "ean", "upc", "barcode", "isbn",
                           "gtin14", "gtin12", "",    "",    "",        ""};
constexpr names image_names{"image", "imageurl", "mainimage", "primaryimage", "thumbnail", "", "", "", "",
                            "",      "",         ""};
constexpr names brand_names{"brand", "brandname", "manufacturer", "", "", "", "", "", "", "", "", ""};

std::string plain(std::string_view key) {
    std::string out;
    for (const char c : key.substr(0, 40))
        if (c >= 'A' && c <= 'Z')
            out += static_cast<char>(c + 32);
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out += c;
    return out;
}

/// 0 is best; nothing for names that are not in the list.
std::optional<std::size_t> rank(const names& list, std::string_view name) noexcept {
    for (std::size_t i = 0; i < list.size() && !list[i].empty(); ++i)
        if (list[i] == name) return i;
    return std::nullopt;
}

bool has_digit(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Parts of a state that are about something else.
bool is_elsewhere(std::string_view name) noexcept {
    for (const std::string_view part :
         {"related", "recommend", "similar", "crosssell", "upsell", "delivery", "shipping", "review",
          "navigation", "menu", "footer", "bundle", "basket", "cart", "breadcrumb", "finance", "instal",
          "accessor", "carousel"})
        if (name.find(part) != std::string::npos) return true;
    return false;
}

/// The best of what is found for one fact: by rank of its name, then nearness.
struct fact {
    json_node node;
    std::size_t badness = 1'000'000;

    void offer(json_node candidate, std::size_t how_bad) {
        if (how_bad >= badness) return;
        node = candidate;
        badness = how_bad;
    }
};

struct facts {
    fact price, list_price, currency, stock, sku, gtin, image, brand;
    std::optional<bool> has_variant; ///< whether one of the variants can be had, where they say so
};

bool is_price(json_node node) {
    std::string scratch;
    if (node.is(json_kind::number)) return node.raw().front() != '-';
    if (!node.is(json_kind::string)) return false;
    const auto text = node.text(scratch);
    return text.size() <= 30 && has_digit(text);
}

/// Whether a value may be the product's number: one called id or code may number anything, so it counts only
/// where the page's address has it too.
bool is_number_of(const page_hints& page, std::string_view name, json_node value) {
    if (value.raw().empty() || value.raw().size() > 63) return false;
    if (name != "id" && name != "code" && name != "productid") return true;
    std::string scratch;
    const auto text = value.text(scratch);
    return text.size() >= 4 &&
           (page.url.find(text) != std::string::npos || page.canonical.find(text) != std::string::npos);
}

/// What an object says of its stock, itself or in a member of it.
std::optional<bool> stock_of(json_node node, int level) {
    std::optional<bool> out;
    node.each_member([&](std::string_view key, json_node value) {
        std::string scratch;
        const bool is_named = rank(stock_names, plain(key)).has_value();
        if (is_named && value.is(json_kind::boolean))
            out = value.boolean();
        else if (is_named && value.is(json_kind::string) && value.raw().size() < 100) {
            if (const auto told = availability_from_text(value.text(scratch))) out = *told;
        } else if (value.is(json_kind::object) && level < 2) {
            out = stock_of(value, level + 1);
        }
        return !out;
    });
    return out;
}

/// Whether one of a list of variants can be had; nothing if none of them says so.
std::optional<bool> stock_of_variants(json_node list) {
    std::optional<bool> out;
    std::size_t count = 0;
    list.each_value([&](json_node n) {
        if (const auto stock = stock_of(n, 0)) out = out.value_or(false) || *stock;
        return ++count < most_variants;
    });
    return out;
}

bool holds_variants(std::string_view name) noexcept {
    return name == "skus" || name.find("variant") != std::string_view::npos || name == "sizes";
}

/// What an object {"__ref":"Product:9"} of Apollo's cache stands for: a member of the document's root.
json_node followed(json_node node, json_node root) {
    if (!node.is(json_kind::object) || node.size() > 2) return node;
    const auto to = node.member("__ref");
    if (!to.is(json_kind::string)) return node;
    std::string scratch;
    const auto found = root.member(to.text(scratch));
    return found.exists() ? found : node;
}

/// Looks breadth first through the neighbourhood below `top`, so that near things are found before far ones.
facts facts_near(json_node top, json_node root, const page_hints& page) {
    struct place {
        json_node node;
        std::size_t depth;
        bool is_priced; ///< within an object that is called a price
    };
    facts out;
    std::deque<place> open{{top, 0, false}};
    std::size_t seen = 0;
    while (!open.empty() && ++seen < most_near) {
        const auto here = open.front();
        open.pop_front();
        if (here.depth > 4) continue;
        if (here.node.is(json_kind::array)) {
            std::size_t count = 0;
            here.node.each_value([&](json_node n) {
                if (!n.is_scalar()) open.push_back({n, here.depth + 1, here.is_priced});
                return ++count < 5; // the first variants stand for all
            });
            continue;
        }
        here.node.each_member([&](std::string_view key, json_node value) {
            const auto name = plain(key);
            value = followed(value, root);
            const auto badness = [&](std::size_t by_name) { return here.depth * 20 + by_name; };
            if (!value.is_scalar()) {
                const bool is_listed = rank(list_names, name).has_value();
                if (!is_elsewhere(name) && !is_listed)
                    open.push_back(
                        {value, here.depth + 1, here.is_priced || name.find("price") != std::string::npos});
                if (holds_variants(name) && value.is(json_kind::array) && !out.has_variant)
                    out.has_variant = stock_of_variants(value);
                if (rank(brand_names, name)) {
                    const auto inner = value.member("name");
                    if (inner.is(json_kind::string)) out.brand.offer(inner, badness(1));
                }
                return true;
            }
            if (value.kind() == json_kind::null || is_elsewhere(name)) return true;
            if (const auto r = rank(price_names, name); r && is_price(value)) {
                const bool is_vague = name == "value" || name == "amount" || name == "now";
                if (!is_vague || here.is_priced) out.price.offer(value, badness(*r));
            }
            if (const auto r = rank(list_names, name); r && is_price(value))
                out.list_price.offer(value, badness(*r));
            if (const auto r = rank(currency_names, name); r && value.is(json_kind::string))
                out.currency.offer(value, badness(*r));
            if (const auto r = rank(stock_names, name)) out.stock.offer(value, badness(*r));
            if (const auto r = rank(sku_names, name); r && is_number_of(page, name, value))
                out.sku.offer(value, badness(*r));
            if (const auto r = rank(gtin_names, name)) out.gtin.offer(value, badness(*r));
            if (const auto r = rank(image_names, name); r && value.is(json_kind::string))
                out.image.offer(value, badness(*r));
            if (const auto r = rank(brand_names, name); r && value.is(json_kind::string))
                out.brand.offer(value, badness(*r));
            return true;
        });
    }
    return out;
}

struct titled {
    json_node object;
    json_node title;
    double score = 0;
};

/// The object whose title agrees best with the page's and that has a price near it.
class search {
public:
    explicit search(const page_hints& page) : page_{page} {}

    /// `currency`: what an object around this one says of all in it.
    void look_at(json_node node, int depth, json_node currency = {}) {
        if (++seen_ > most_nodes || depth > 40) return;
        if (node.is(json_kind::array)) {
            node.each_value([&](json_node n) {
                if (!n.is_scalar()) look_at(n, depth + 1, currency);
                return seen_ < most_nodes;
            });
            return;
        }
        node.each_member([&](std::string_view key, json_node value) {
            const bool is_currency = value.is(json_kind::string) && rank(currency_names, plain(key));
            if (is_currency) currency = value;
            return !is_currency;
        });
        if (node.is(json_kind::object)) consider(node, depth, currency);
        node.each_member([&](std::string_view key, json_node value) {
            if (!value.is_scalar() && !is_elsewhere(plain(key))) look_at(value, depth + 1, currency);
            return seen_ < most_nodes;
        });
    }

    void begin_document(json_node root) noexcept {
        seen_ = 0;
        root_ = root;
    }
    const titled& best() const noexcept { return best_; }
    const facts& best_facts() const noexcept { return facts_; }

private:
    void consider(json_node node, int depth, json_node currency) {
        node.each_member([&](std::string_view key, json_node value) {
            if (!value.is(json_kind::string) || value.raw().size() < 3 || value.raw().size() > 500)
                return true;
            const auto r = rank(title_names, plain(key));
            if (!r || ++titles_ > most_titles) return true;
            std::string scratch;
            const auto title = value.text(scratch);
            const auto agreement = likeness(title, page_);
            const bool is_the_title = title == page_.heading || title == page_.og_title;
            const double score = agreement * 10 + (is_the_title ? 1 : 0) - 0.1 * static_cast<double>(*r) -
                                 0.02 * depth + (value.raw().size() > 12 ? 0.5 : 0);
            if (agreement < least_likeness || score <= best_.score || ++tries_ > 300) return true;
            auto found = facts_near(node, root_, page_);
            if (!found.price.node.exists()) return true;
            if (!found.currency.node.exists()) found.currency.node = currency;
            best_ = {node, value, score};
            facts_ = found;
            return true;
        });
    }

    const page_hints& page_;
    json_node root_;
    titled best_;
    facts facts_;
    std::size_t seen_ = 0;
    int tries_ = 0;
    int titles_ = 0;
};

/// JSON texts of the scripts that may hold a state, without those that only describe the page.
std::vector<std::string> state_texts(const std::vector<script_block>& scripts) {
    constexpr std::array<std::string_view, 16> variables{
        "__NEXT_DATA__",     "__NUXT__",  "__INITIAL_STATE__", "__PRELOADED_STATE__",
        "__APOLLO_STATE__",  "__STATE__", "__REDUX_STATE__",   "__INITIAL_DATA__",
        "__INITIAL_PROPS__", "__DATA__",  "__PRODUCT__",       "__SSR_DATA__",
        "dataLayer.push",    "dataLayer", "productData",       "product"};
    std::vector<std::string> out;
    std::size_t bytes = 0;
    for (const auto& s : scripts) {
        if (bytes > most_bytes || out.size() >= 60) break;
        const auto type = s.attribute("type");
        if (type.find("ld+json") != std::string_view::npos || s.text.size() < 20) continue;
        if (type.find("json") != std::string_view::npos) {
            bytes += s.text.size();
            auto places = s.attribute("id") == "__NUXT_DATA__" ? state_of_places(s.text) : std::nullopt;
            out.push_back(places ? std::move(*places) : std::string{s.text});
            continue;
        }
        if (auto text = state_of_function(s.text)) {
            bytes += text->size();
            out.push_back(std::move(*text));
        }
        for (const auto name : variables) {
            if (s.text.find(name) == std::string_view::npos) continue;
            auto text = assigned_json(s.text, name);
            if (!text || text->size() < 20) continue;
            bytes += text->size();
            out.push_back(std::move(*text));
        }
    }
    for (auto& text : states_of_pieces(scripts))
        if ((bytes += text.size()) <= most_bytes) out.push_back(std::move(text));
    return out;
}

} // namespace

std::optional<std::string> state_product(const std::vector<script_block>& scripts, const page_hints& page) {
    const auto texts = state_texts(scripts);
    std::vector<std::unique_ptr<json_document>> documents; // alive as long as the nodes in `found`
    search found{page};
    for (const auto& text : texts) {
        auto document = std::make_unique<json_document>();
        if (document->parse(text) != json_status::ok) continue;
        found.begin_document(document->root());
        found.look_at(document->root(), 0);
        documents.push_back(std::move(document));
    }
    const auto& best = found.best();
    if (!best.object.exists()) return std::nullopt;
    const auto& f = found.best_facts();
    std::string out;
    std::string scratch;
    {
        json_object_writer object{out};
        object.node("name", best.title);
        object.node("sku", f.sku.node);
        object.node("gtin", f.gtin.node);
        object.node("brand", f.brand.node);
        if (f.image.node.exists()) object.list("image", {std::string{f.image.node.text(scratch)}});
        object.key("offers");
        out += '[';
        {
            json_object_writer offer{out};
            offer.node("price", f.price.node);
            offer.node("listPrice", f.list_price.node);
            offer.node("priceCurrency", f.currency.node);
            if (f.has_variant)
                offer.text("availability", *f.has_variant ? "InStock" : "OutOfStock");
            else if (f.stock.node.is(json_kind::boolean))
                offer.text("availability", f.stock.node.boolean() ? "InStock" : "OutOfStock");
            else
                offer.node("availability", f.stock.node);
        }
        out += ']';
    }
    return out;
}

} // namespace tiktrend::sources
