#include <tiktrend/base/json_text.hpp>
#include <tiktrend/catalog/product_json.hpp>

#include <chrono>

namespace tiktrend::catalog {
namespace {

void value(std::string& out, const std::optional<std::string>& v) {
    if (v)
        append_json_string(out, *v);
    else
        out += "null";
}

template <class Number>
void value(std::string& out, const std::optional<Number>& v) {
    if (v)
        append_json_number(out, *v);
    else
        out += "null";
}

void value(std::string& out, bool v) {
    out += v ? "true" : "false";
}

/// `key` comes with its quotes, colon and the comma before it.
template <class T>
void member(std::string& out, std::string_view key, const T& v) {
    out += key;
    value(out, v);
}

void append_digits(std::string& out, int value, int width) {
    char digits[4];
    for (int i = width; i-- > 0; value /= 10)
        digits[i] = static_cast<char>('0' + value % 10);
    out.append(digits, static_cast<std::size_t>(width));
}

} // namespace

void append_json_time(std::string& out, std::int64_t unix_ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> at{milliseconds{unix_ms}};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    out += '"';
    append_digits(out, static_cast<int>(date.year()), 4);
    out += '-';
    append_digits(out, static_cast<int>(static_cast<unsigned>(date.month())), 2);
    out += '-';
    append_digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
    out += 'T';
    append_digits(out, static_cast<int>(time.hours().count()), 2);
    out += ':';
    append_digits(out, static_cast<int>(time.minutes().count()), 2);
    out += ':';
    append_digits(out, static_cast<int>(time.seconds().count()), 2);
    out += '.';
    append_digits(out, static_cast<int>(time.subseconds().count()), 3);
    out += "Z\"";
}

void append_json(std::string& out, const product& p) {
    out += "{\"id\":";
    append_json_number(out, p.id);
    out += ",\"source\":";
    append_json_string(out, p.source);
    out += ",\"external_id\":";
    append_json_string(out, p.external_id);
    out += ",\"kind\":\"";
    out += to_string(p.kind);
    out += "\",\"title\":";
    append_json_string(out, p.title);
    member(out, ",\"description\":", p.description);
    member(out, ",\"url\":", p.url);
    member(out, ",\"image_url\":", p.image_url);
    member(out, ",\"image_cdn_url\":", p.image_cdn_url);
    member(out, ",\"category_id\":", p.category_id);
    member(out, ",\"category\":", p.category);
    member(out, ",\"price_min\":", p.price_min);
    member(out, ",\"price_max\":", p.price_max);
    member(out, ",\"currency\":", p.currency);
    member(out, ",\"sales_7d\":", p.sales_7d);
    member(out, ",\"sales_total\":", p.sales_total);
    member(out, ",\"rating\":", p.rating);
    member(out, ",\"review_count\":", p.review_count);
    member(out, ",\"trend_score\":", p.trend_score);
    member(out, ",\"is_trending\":", p.is_trending);
    member(out, ",\"is_active\":", p.is_active);
    out += ",\"attributes\":";
    out += p.attributes; // JSON already
    out += ",\"first_seen\":";
    append_json_time(out, p.first_seen_ms);
    out += ",\"last_updated\":";
    append_json_time(out, p.last_updated_ms);
    out += ",\"scraped_at\":";
    append_json_time(out, p.scraped_at_ms);
    out += '}';
}

void append_json(std::string& out, const history_point& p) {
    out += "{\"scraped_at\":";
    append_json_time(out, p.scraped_at_ms);
    member(out, ",\"price_min\":", p.price_min);
    member(out, ",\"price_max\":", p.price_max);
    member(out, ",\"currency\":", p.currency);
    member(out, ",\"sales_7d\":", p.sales_7d);
    member(out, ",\"sales_total\":", p.sales_total);
    member(out, ",\"rating\":", p.rating);
    member(out, ",\"review_count\":", p.review_count);
    member(out, ",\"trend_score\":", p.trend_score);
    out += '}';
}

void append_json(std::string& out, const category_entry& c) {
    out += "{\"id\":";
    append_json_number(out, c.id);
    out += ",\"name\":";
    append_json_string(out, c.name);
    out += '}';
}

} // namespace tiktrend::catalog
