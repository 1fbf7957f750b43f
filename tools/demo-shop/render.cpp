#include "render.hpp"

#include <tiktrend/base/json_text.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace tiktrend::demo_shop {
namespace {

namespace json = boost::json;

constexpr std::int64_t opening_day = 1'767'225'600; ///< 2026-01-01T00:00:00Z, day 0
constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t product_ids = 7'000'000'000'000, variant_ids = 42'000'000'000'000,
                       image_ids = 33'000'000'000'000;

std::string timestamp(std::int64_t unix_seconds) {
    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm t{};
    gmtime_r(&time, &t);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour, t.tm_min, t.tm_sec);
}

std::string image_url(const product& p, std::string_view origin) {
    return fmt::format("{}/images/{}.svg", origin, p.handle);
}

/// json::serialize() would write 4.5 as 4.5E0, which no shop does.
void append(std::string& out, const json::value& v) {
    switch (v.kind()) {
    case json::kind::object: {
        char before = '{';
        for (const auto& member : v.get_object()) {
            out += std::exchange(before, ',');
            append_json_string(out, member.key());
            out += ':';
            append(out, member.value());
        }
        out += before == '{' ? "{}" : "}";
        break;
    }
    case json::kind::array: {
        char before = '[';
        for (const auto& element : v.get_array()) {
            out += std::exchange(before, ',');
            append(out, element);
        }
        out += before == '[' ? "[]" : "]";
        break;
    }
    case json::kind::double_:
        append_json_number(out, v.get_double());
        break;
    default:
        out += json::serialize(v);
    }
}

std::string to_text(const json::value& v) {
    std::string out;
    append(out, v);
    return out;
}

json::value optional_money(const std::optional<int>& cents) {
    return cents ? json::value(money(*cents)) : json::value(nullptr);
}

json::object own_object(const product& p, std::string_view origin) {
    return {{"sku", p.sku},
            {"name", p.name},
            {"description", p.description},
            {"category", p.category},
            {"price", money(p.price_cents)},
            {"currency", "EUR"},
            {"was_price", optional_money(p.was_cents)},
            {"sold_7d", p.sold_7d},
            {"sold_total", p.sold_total},
            {"rating", p.rating},
            {"reviews", p.reviews},
            {"image", image_url(p, origin)},
            {"url", "/p/" + p.handle},
            {"in_stock", p.in_stock}};
}

json::object storefront_object(const product& p, std::string_view origin) {
    const auto number = static_cast<std::int64_t>(p.number);
    const auto id = product_ids + number;
    const auto created = timestamp(opening_day - day_seconds * 30 + number * 60);
    const auto updated = timestamp(opening_day + day_seconds * static_cast<std::int64_t>(p.changed_on_day));
    json::array variants, titles;
    for (std::size_t i = 0; i < p.variants.size(); ++i) {
        const auto& v = p.variants[i];
        const auto with_surcharge = [&v](int cents) { return money(cents + v.surcharge_cents); };
        titles.emplace_back(v.title);
        variants.push_back(
            json::object{{"id", variant_ids + number * 10 + static_cast<std::int64_t>(i)},
                         {"title", v.title},
                         {"option1", v.title},
                         {"option2", nullptr},
                         {"option3", nullptr},
                         {"sku", p.variants.size() == 1 ? p.sku : p.sku + "-" + v.title},
                         {"requires_shipping", true},
                         {"taxable", true},
                         {"featured_image", nullptr},
                         {"available", p.in_stock},
                         {"price", with_surcharge(p.price_cents)},
                         {"grams", 250},
                         {"compare_at_price",
                          p.was_cents ? json::value(with_surcharge(*p.was_cents)) : json::value(nullptr)},
                         {"position", i + 1},
                         {"product_id", id},
                         {"created_at", created},
                         {"updated_at", updated}});
    }
    return {{"id", id},
            {"title", p.name},
            {"handle", p.handle},
            {"body_html", "<p>" + p.description + "</p>"},
            {"published_at", created},
            {"created_at", created},
            {"updated_at", updated},
            {"vendor", p.vendor},
            {"product_type", p.category},
            {"tags", json::array{p.category, p.was_cents ? "sale" : "regular"}},
            {"variants", std::move(variants)},
            {"images", json::array{json::object{{"id", image_ids + number},
                                                {"created_at", created},
                                                {"position", 1},
                                                {"updated_at", created},
                                                {"product_id", id},
                                                {"variant_ids", json::array{}},
                                                {"src", image_url(p, origin)},
                                                {"width", 600},
                                                {"height", 600}}}},
            {"options", json::array{json::object{{"name", p.variants.size() == 1 ? "Title" : "Size"},
                                                 {"position", 1},
                                                 {"values", std::move(titles)}}}}};
}

/// One page of products, each made an object by `make`.
template <class Make>
json::array page_of(const catalogue& c, std::size_t page, std::size_t size, Make make) {
    json::array out;
    const auto& all = c.products();
    if (page - 1 > all.size() / size) return out;
    const auto begin = (page - 1) * size;
    for (auto i = begin; i < std::min(begin + size, all.size()); ++i)
        out.push_back(make(all[i]));
    return out;
}

} // namespace

std::string own_list(const catalogue& c, std::size_t page, std::size_t per_page, std::string_view origin) {
    const auto total = c.products().size();
    return to_text(json::object{
        {"page", page},
        {"pages", (total + per_page - 1) / per_page},
        {"total", total},
        {"products", page_of(c, page, per_page, [&](const product& p) { return own_object(p, origin); })}});
}

std::string own_product(const product& p, std::string_view origin) {
    return to_text(own_object(p, origin));
}

std::string storefront_list(const catalogue& c, std::size_t page, std::size_t limit,
                            std::string_view origin) {
    return to_text(json::object{{"products", page_of(c, page, limit, [&](const product& p) {
                                     return storefront_object(p, origin);
                                 })}});
}

std::string storefront_product(const product& p, std::string_view origin) {
    return to_text(json::object{{"product", storefront_object(p, origin)}});
}

std::string product_page(const product& p, std::string_view origin) {
    const json::object data{
        {"@context", "https://schema.org"},
        {"@type", "Product"},
        {"name", p.name},
        {"sku", p.sku},
        {"description", p.description},
        {"image", image_url(p, origin)},
        {"aggregateRating",
         json::object{{"@type", "AggregateRating"}, {"ratingValue", p.rating}, {"reviewCount", p.reviews}}},
        {"offers", json::object{{"@type", "Offer"},
                                {"price", money(p.price_cents)},
                                {"priceCurrency", "EUR"},
                                {"availability", p.in_stock ? "https://schema.org/InStock"
                                                            : "https://schema.org/OutOfStock"}}}};
    return fmt::format(R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{0} - demo shop</title>
<script type="application/ld+json">{1}</script></head>
<body><h1>{0}</h1><img src="{2}" alt="{0}" width="300"><p>{3}</p><p class="price">{4} EUR</p><p>{5} sold this week</p>
<p><a href="/">all products</a></p></body></html>
)",
                       p.name, to_text(data), image_url(p, origin), p.description, money(p.price_cents),
                       p.sold_7d);
}

std::string picture(const product& p) {
    return fmt::format(
        R"svg(<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600">)svg"
        R"svg(<rect width="600" height="600" fill="hsl({},45%,72%)"/>)svg"
        R"svg(<text x="300" y="310" font-family="sans-serif" font-size="34" text-anchor="middle">{}</text></svg>)svg",
        p.number * 47 % 360, p.name);
}

std::string front_page(const catalogue& c) {
    std::string rows;
    for (const auto& p : c.products())
        rows +=
            fmt::format("<li><a href=\"/p/{}\">{}</a> {} EUR</li>\n", p.handle, p.name, money(p.price_cents));
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>demo shop</title></head>\n"
        "<body><h1>Demo shop, day {}</h1>\n<ul>\n{}</ul></body></html>\n",
        c.day(), rows);
}

} // namespace tiktrend::demo_shop
