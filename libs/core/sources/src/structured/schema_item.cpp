#include "structured/schema_item.hpp"

#include "json_object_writer.hpp"
#include "values/text.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr int most_levels = 6;         ///< of items within items
constexpr std::size_t most_list = 200; ///< offers, variants, images
constexpr std::size_t most_text = 20'000;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool equals_lower(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

/// Calls visit(node) for the elements of a list, or for the node itself.
template <class Visit>
void each_of(json_node node, Visit&& visit) {
    if (!node.exists() || node.kind() == json_kind::null) return;
    if (!node.is(json_kind::array)) {
        visit(node);
        return;
    }
    std::size_t count = 0;
    node.each_value([&](json_node n) {
        if (n.kind() != json_kind::null) visit(n);
        return ++count < most_list;
    });
}

json_node resolved(json_node node, const node_index& index) {
    if (!node.is(json_kind::object) || node.size() > 2) return node;
    const auto id = node.member("@id");
    if (!id.exists()) return node;
    std::string scratch;
    const auto found = index.find(std::string{id.text(scratch)});
    return found == index.end() ? node : found->second;
}

/// A price that stands beside another one ("10,75 €" above the old "11,95 €"): its first line.
std::string_view first_line(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == '\n' || text.front() == ' ' || text.front() == '\r'))
        text.remove_prefix(1);
    return text.substr(0, text.find('\n'));
}

/// A price may be an object: {"@value": 5}, {"price": 5}, {"value": 5}, {"amount": 5}.
json_node price_node(json_node node) {
    for (int i = 0; i < 3 && node.exists() && !node.is_scalar(); ++i) {
        if (node.is(json_kind::array)) {
            node = node.element(0);
            continue;
        }
        json_node inner;
        for (const auto* name : {"@value", "price", "value", "amount"})
            if (!inner.exists()) inner = schema_member(node, name);
        node = inner;
    }
    return node.is_scalar() && node.kind() != json_kind::null ? node : json_node{};
}

class item_writer {
public:
    item_writer(std::string& out, const node_index& index) : out_{out}, index_{index} {}

    void item(json_node node, int level) {
        json_object_writer object{out_};
        if (const auto types = types_of(node); !types.empty()) object.text("@type", types.front());
        for (const auto* name :
             {"name", "description", "sku", "mpn", "brand", "category", "url", "productID", "color", "size"})
            object.text(name, schema_text(resolved(schema_member(node, name), index_)));
        gtin(object, node);
        images(object, node);
        rating(object, node);
        offers(object, node, level);
        if (level < most_levels && schema_member(node, "hasVariant").exists()) {
            object.key("hasVariant");
            out_ += '[';
            bool is_first = true;
            each_of(schema_member(node, "hasVariant"), [&](json_node v) {
                v = resolved(v, index_);
                if (!v.is(json_kind::object)) return;
                if (!std::exchange(is_first, false)) out_ += ',';
                item(v, level + 1);
            });
            out_ += ']';
        }
        others(object, node);
    }

private:
    static void gtin(json_object_writer& object, json_node node) {
        for (const auto* name : {"gtin13", "gtin", "gtin14", "gtin12", "gtin8", "isbn"})
            if (auto text = schema_text(schema_member(node, name)); !text.empty()) {
                object.text("gtin", text);
                return;
            }
    }

    void images(json_object_writer& object, json_node node) {
        std::vector<std::string> found;
        each_of(schema_member(node, "image"), [&](json_node n) {
            n = resolved(n, index_);
            std::string text;
            if (n.is(json_kind::object)) {
                for (const auto* name : {"contentUrl", "url", "@id"})
                    if (text.empty()) text = schema_text(schema_member(n, name));
            } else {
                text = schema_text(n);
            }
            if (!text.empty()) found.push_back(std::move(text));
        });
        object.list("image", found);
    }

    void rating(json_object_writer& object, json_node node) {
        const auto rating = resolved(schema_member(node, "aggregateRating"), index_);
        if (!rating.is(json_kind::object)) return;
        object.key("aggregateRating");
        json_object_writer inner{out_};
        inner.text("ratingValue", schema_text(schema_member(rating, "ratingValue")));
        auto count = schema_text(schema_member(rating, "reviewCount"));
        if (count.empty()) count = schema_text(schema_member(rating, "ratingCount"));
        inner.text("reviewCount", count);
    }

    void offers(json_object_writer& object, json_node node, int level) {
        object.key("offers");
        out_ += '[';
        const auto before = out_.size();
        add_offers(schema_member(node, "offers"), 0);
        // An Offer may stand for the thing itself.
        const auto types = types_of(node);
        const auto is_offer = [](const auto& t) { return t == "Offer" || t == "AggregateOffer"; };
        if (std::any_of(types.begin(), types.end(), is_offer)) add_offers(node, 0);
        if (out_.size() == before && level < most_levels)
            each_of(schema_member(node, "hasVariant"), [&](json_node v) {
                v = resolved(v, index_);
                add_offers(schema_member(v, "offers"), 0);
            });
        if (out_.size() == before && price_node(schema_member(node, "price")).exists()) add_offers(node, 0);
        out_ += ']';
    }

    void add_offers(json_node given, int level) {
        each_of(given, [&](json_node n) {
            n = resolved(n, index_);
            if (!n.is(json_kind::object) || out_.size() > most_bytes) return;
            if (out_.back() != '[') out_ += ',';
            offer(n);
            if (level < 2) add_offers(schema_member(n, "offers"), level + 1);
        });
    }

    void offer(json_node node) {
        json_object_writer object{out_};
        object.text("@type", types_of(node).empty() ? "" : types_of(node).front());
        auto price = price_node(schema_member(node, "price"));
        json_node list_price;
        json_node currency = schema_member(node, "priceCurrency");
        std::vector<json_node> specifications;
        each_of(schema_member(node, "priceSpecification"), [&](json_node s) {
            s = resolved(s, index_);
            if (s.is(json_kind::object)) specifications.push_back(s);
        });
        for (const auto& s : specifications) {
            const auto kind = schema_text(schema_member(s, "priceType"));
            const auto amount = price_node(schema_member(s, "price"));
            if (!currency.exists()) currency = schema_member(s, "priceCurrency");
            const bool is_list = kind.find("ListPrice") != std::string::npos ||
                                 kind.find("Strikethrough") != std::string::npos ||
                                 kind.find("SRP") != std::string::npos;
            // a price by the kilogram or the month is not that of the thing
            const bool is_unit = schema_member(s, "referenceQuantity").exists();
            if (is_list)
                list_price = amount;
            else if (!price.exists() && !is_unit)
                price = amount;
        }
        std::string scratch;
        if (price.is(json_kind::string))
            object.text("price", first_line(price.text(scratch)));
        else
            object.node("price", price);
        object.node("lowPrice", price_node(schema_member(node, "lowPrice")));
        object.node("highPrice", price_node(schema_member(node, "highPrice")));
        object.node("listPrice", list_price);
        if (!currency.exists()) { // {"price": {"@value": 5, "currency": "EUR"}}
            const auto inside = schema_member(node, "price");
            currency = schema_member(inside, "currency");
            if (!currency.exists()) currency = schema_member(node, "currency");
        }
        object.text("priceCurrency", schema_text(currency));
        object.text("availability", schema_text(schema_member(node, "availability")));
        object.text("url", schema_text(schema_member(node, "url")));
        object.text("sku", schema_text(schema_member(node, "sku")));
        object.text("offerCount", schema_text(schema_member(node, "offerCount")));
        if (specifications.empty()) return;
        object.key("priceSpecification");
        out_ += '[';
        for (std::size_t i = 0; i < specifications.size(); ++i) {
            if (i > 0) out_ += ',';
            json_object_writer inner{out_};
            for (const auto* name : {"price", "minPrice", "maxPrice"})
                inner.node(name, price_node(schema_member(specifications[i], name)));
            inner.text("priceCurrency", schema_text(schema_member(specifications[i], "priceCurrency")));
            inner.text("priceType", schema_text(schema_member(specifications[i], "priceType")));
        }
        out_ += ']';
    }

    void others(json_object_writer& object, json_node node) {
        constexpr int most_others = 200;
        int count = 0;
        node.each_member([&](std::string_view key, json_node value) {
            if (++count > most_others) return false;
            const auto name = bare_term(key);
            if (!value.is_scalar() || value.kind() == json_kind::null || name.size() > 100) return true;
            if (value.raw().size() > most_text) return true;
            if (!object.has(name)) object.node(name, value);
            return true;
        });
    }

    static constexpr std::size_t most_bytes = 4 << 20;
    std::string& out_;
    const node_index& index_;
};

} // namespace

std::string_view bare_term(std::string_view term) noexcept {
    for (const std::string_view prefix :
         {"http://schema.org/", "https://schema.org/", "http://www.schema.org/", "https://www.schema.org/",
          "schema.org/", "schema:"})
        if (term.size() > prefix.size() && equals_lower(term.substr(0, prefix.size()), prefix)) {
            term.remove_prefix(prefix.size());
            break;
        }
    while (term.ends_with('/'))
        term.remove_suffix(1);
    return term;
}

std::vector<std::string> types_of(json_node node) {
    std::vector<std::string> out;
    std::string scratch;
    auto type = node.member("@type");
    if (!type.exists()) type = node.member("type");
    if (type.is(json_kind::string)) {
        out.emplace_back(bare_term(type.text(scratch)));
    } else if (type.is(json_kind::array)) {
        type.each_value([&](json_node t) {
            if (t.is(json_kind::string)) out.emplace_back(bare_term(t.text(scratch)));
            return out.size() < 10;
        });
    }
    return out;
}

json_node schema_member(json_node node, std::string_view name) {
    if (const auto exact = node.member(name); exact.exists()) return exact;
    json_node out;
    node.each_member([&](std::string_view key, json_node value) {
        if (!equals_lower(bare_term(key), name)) return true;
        out = value;
        return false;
    });
    return out;
}

std::string schema_text(json_node node) {
    for (int i = 0; i < 4 && node.exists() && !node.is_scalar(); ++i) {
        if (node.is(json_kind::array)) {
            auto found = json_node{};
            node.each_value([&](json_node n) {
                found = n;
                return n.kind() == json_kind::null;
            });
            node = found;
            continue;
        }
        auto inner = node.member("@value");
        if (!inner.exists()) inner = schema_member(node, "name");
        if (!inner.exists()) inner = node.member("@id");
        node = inner;
    }
    if (!node.exists() || !node.is_scalar() || node.kind() == json_kind::null) return {};
    std::string scratch;
    if (node.raw().size() > most_text) return {};
    auto text = node.text(scratch);
    return text.find('&') == std::string_view::npos ? std::string{text} : decode_entities(text);
}

void append_schema_item(std::string& out, json_node item, const node_index& index) {
    item_writer{out, index}.item(item, 0);
}

} // namespace tiktrend::sources
