#include "structured/open_graph.hpp"

#include "json_object_writer.hpp"
#include "values/gtin.hpp"

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_properties = 500;
constexpr std::size_t most_value = 20'000;

struct property {
    std::string_view name;
    std::string_view content;
};

std::vector<property> properties_of(html_document& page) {
    std::vector<property> out;
    const auto root = page.root();
    for (auto at = root; at.exists() && out.size() < most_properties; at = next_in_order(at, root)) {
        if (at.name() != "meta") continue;
        auto name = at.attribute("property");
        if (name.empty()) name = at.attribute("name");
        const auto content = at.attribute("content");
        if (name.empty() || name.size() > 100 || content.empty() || content.size() > most_value) continue;
        out.push_back({name, content});
    }
    return out;
}

/// The first of the names that is there.
std::string_view first_of(const std::vector<property>& all, std::initializer_list<std::string_view> names) {
    for (const auto name : names)
        for (const auto& p : all)
            if (p.name == name) return p.content;
    return {};
}

void append_offer(std::string& out, const std::vector<property>& all) {
    json_object_writer offer{out};
    const auto regular = first_of(all, {"product:original_price:amount"});
    offer.text("price", first_of(all, {"product:sale_price:amount", "product:price:amount", "og:price:amount",
                                       "og:product:price:amount", "twitter:data1:price"}));
    offer.text("listPrice", regular);
    offer.text("priceCurrency", first_of(all, {"product:sale_price:currency", "product:price:currency",
                                               "og:price:currency", "og:product:price:currency"}));
    offer.text("availability", first_of(all, {"product:availability", "og:availability"}));
}

void append_all(std::string& out, const std::vector<property>& all, const page_hints& hints) {
    json_object_writer object{out};
    object.text("name", hints.og_title);
    if (const auto image = first_of(all, {"og:image:secure_url", "og:image", "twitter:image"});
        !image.empty())
        object.list("image", {std::string{image}});
    const auto id = first_of(all, {"product:retailer_item_id", "og:product:retailer_item_id"});
    object.text(is_gtin(id) ? "gtin" : "sku", id);
    object.text("gtin", first_of(all, {"product:gtin", "product:ean", "product:upc", "product:isbn"}));
    object.text("brand", first_of(all, {"product:brand", "og:brand"}));
    object.text("category", first_of(all, {"product:category"}));
    object.text("description", first_of(all, {"og:description", "description"}));
    object.key("offers");
    out += '[';
    append_offer(out, all);
    out += ']';
    for (const auto& p : all)
        object.text(p.name, p.content);
}

} // namespace

std::optional<std::string> open_graph_json(html_document& page, const page_hints& hints) {
    const auto all = properties_of(page);
    bool has_any = false;
    for (const auto& p : all)
        has_any = has_any || p.name.find(':') != std::string_view::npos;
    if (!has_any) return std::nullopt;
    std::string out;
    append_all(out, all, hints);
    return out;
}

} // namespace tiktrend::sources
