#include "page_commit.hpp"

#include "page_cache_row.hpp"
#include "page_statements.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tiktrend::catalog::detail {
namespace {

using postgres::array;

/// Longer ones would not fit an index entry (2,704 bytes).
constexpr std::size_t max_identity_bytes = 1000;
constexpr std::int64_t min_time_ms = 946'684'800'000;   // 2000
constexpr std::int64_t max_time_ms = 4'102'444'800'000; // 2100

/// True for text of ASCII without U+0000: the usual case, eight bytes at a time.
bool is_plain_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t high = 0x8080'8080'8080'8080ULL;
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101ULL;
    if (text.size() < 8) return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
    std::uint64_t suspect = 0;
    const auto look = [&](const char* at) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        // (word - ones) borrows into the high bit of a zero byte; other bytes with a high bit are refused
        // anyway.
        suspect |= word | (word - ones);
    };
    const char* last = text.data() + text.size() - 8;
    for (const char* at = text.data(); at < last; at += 8)
        look(at);
    look(last); // some bytes twice, rather than one by one
    return (suspect & high) == 0;
}

bool is_currency(std::string_view text) noexcept {
    return text.size() == 3 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// True for a label as nearly all are: at most 200 characters of ASCII, single blanks between words.
bool is_clean_label(std::string_view text) noexcept {
    bool after_blank = true;
    for (const char c : text) {
        if (static_cast<signed char>(c) < ' ' || (c == ' ' && after_blank)) return false;
        after_blank = c == ' ';
    }
    return !text.empty() && text.size() <= 200 && !after_blank;
}

/// Midnight of the first day of the month, UTC.
std::int64_t month_of(std::int64_t unix_ms) noexcept {
    using namespace std::chrono;
    const year_month_day date{floor<days>(sys_time<milliseconds>{milliseconds{unix_ms}})};
    const sys_days first{date.year() / date.month() / day{1}};
    return duration_cast<milliseconds>(first.time_since_epoch()).count();
}

/// Adds text column by column, repairing what cannot be stored.
class text_column {
public:
    text_column(std::size_t count, std::size_t bytes) : values_{array::element::text, count, bytes} {}
    void add(std::string_view text) { values_.add(storable(text, buffer_)); }
    void add(const std::string& text) { add(std::string_view{text}); }
    void add(const std::optional<std::string>& text) {
        if (text)
            add(std::string_view{*text});
        else
            add_null();
    }
    void add_null() { values_.add_null(); }
    void add_json(std::string_view text) { values_.add(storable_json(text.empty() ? "{}" : text, buffer_)); }
    array&& take() { return std::move(values_); }

private:
    array values_;
    std::string buffer_;
};

} // namespace

std::string clean_label(std::string_view text) {
    if (is_clean_label(text)) return std::string{text};
    std::string buffer;
    std::string out;
    std::size_t characters = 0;
    bool blank = false;
    for (const char c : storable(text, buffer)) {
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = !out.empty();
            continue;
        }
        const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        if (starts && (characters += 1U + blank) > 200) break;
        if (std::exchange(blank, false)) out += ' ';
        out += c;
    }
    return out;
}

std::string_view storable(std::string_view text, std::string& buffer) {
    if (is_plain_ascii(text)) return text;
    if (text.find('\0') == std::string_view::npos && is_valid_utf8(text)) return text;
    buffer = repair_utf8(text);
    return buffer;
}

std::string_view storable_json(std::string_view text, std::string& buffer) {
    text = storable(text, buffer);
    if (text.find("\\u0000") == std::string_view::npos) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '\\') {
            out += text[i++];
        } else if (text.substr(i, 6) == "\\u0000") {
            i += 6;
        } else { // another escape; its second character may be a backslash
            out += text.substr(i, 2);
            i += 2;
        }
    }
    buffer = std::move(out);
    return buffer;
}

page_commit::page_commit(const run_key& key, const scraped_page& page,
                         std::chrono::milliseconds touch_unchanged_after)
    : key_{key}, page_{page}, touch_unchanged_after_{touch_unchanged_after} {
    if (page.number < 1) throw std::invalid_argument("a page without a number");
    std::vector<const scraped_product*> sorted;
    sorted.reserve(page.products.size());
    for (const auto& p : page.products) {
        if (p.scraped_at_ms < min_time_ms || p.scraped_at_ms >= max_time_ms)
            throw std::invalid_argument("a product without a sensible scraped_at_ms");
        if (p.source.empty() || p.external_id.empty() ||
            p.source.size() + p.external_id.size() > max_identity_bytes)
            ++nameless_;
        else
            sorted.push_back(&p);
    }
    refused_ = nameless_;
    const auto same = [](const auto* a, const auto* b) {
        return a->external_id == b->external_id && a->source == b->source;
    };
    // The newest of each comes first; of equally new ones the later on the page (its address is higher).
    const auto before = [](const auto* a, const auto* b) {
        if (const auto c = a->source.compare(b->source)) return c < 0;
        if (const auto c = a->external_id.compare(b->external_id)) return c < 0;
        if (a->scraped_at_ms != b->scraped_at_ms) return a->scraped_at_ms > b->scraped_at_ms;
        return a > b;
    };
    if (!std::is_sorted(sorted.begin(), sorted.end(), before))
        std::sort(sorted.begin(), sorted.end(), before);
    sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());

    order_.reserve(sorted.size());
    std::int64_t last_time = -1;
    for (const auto* p : sorted) {
        order_.push_back({p, content_hash(*p), p->category ? clean_label(*p->category) : std::string{}});
        if (std::exchange(last_time, p->scraped_at_ms) == p->scraped_at_ms) continue;
        const auto month = month_of(p->scraped_at_ms);
        if (std::find(months_.begin(), months_.end(), month) == months_.end()) months_.push_back(month);
    }
    if (!order_.empty()) source_ = order_.front().product->source;
    note_categories();
}

void page_commit::note_categories() {
    constexpr std::ptrdiff_t few = 8; // categories that a page is likely to have; the rest is for the sorting
    categories_.clear();
    for (const auto& e : order_) {
        const auto n = std::ssize(categories_);
        if (!e.label.empty() &&
            std::find(categories_.end() - std::min(n, few), categories_.end(), e.label) == categories_.end())
            categories_.push_back(e.label);
    }
    std::sort(categories_.begin(), categories_.end());
    categories_.erase(std::unique(categories_.begin(), categories_.end()), categories_.end());
}

postgres::batch page_commit::probe() const {
    const auto n = order_.size();
    text_column source{n, n * 24}, external_id{n, n * 24};
    array hash{array::element::int8, n, n * 8}, scraped{array::element::int8, n, n * 8};
    for (const auto& e : order_) {
        source.add(e.product->source);
        external_id.add(e.product->external_id);
        hash.add(e.hash);
        scraped.add(e.product->scraped_at_ms);
    }
    postgres::params values;
    values.add(source.take()).add(external_id.take()).add(std::move(hash)).add(std::move(scraped));
    values.add(touch_unchanged_after_.count());
    postgres::batch out;
    out.add(no_sequential_scans).add(probe_products, std::move(values));
    return out;
}

void page_commit::keep(const std::vector<postgres::rows>& probed) {
    const auto& wanted = probed.at(1);
    std::vector<entry> kept;
    kept.reserve(wanted.size());
    for (const auto r : wanted)
        kept.push_back(std::move(order_.at(static_cast<std::size_t>(r[0].int64()) - 1)));
    order_ = std::move(kept);
    note_categories();
}

postgres::params page_commit::upsert_values() const {
    const auto n = order_.size();
    // Sizes are guesses that save most of the growing.
    text_column source{n, n * 24}, external_id{n, n * 24}, kind{n, n * 8}, title{n, n * 64},
        description{n, n * 256}, url{n, n * 80}, image_url{n, n * 96}, category{n, n * 16},
        price_min{n, n * 8}, price_max{n, n * 8}, currency{n, n * 4}, attributes{n, n * 128};
    array sales_7d{array::element::int8, n, n * 8}, sales_total{array::element::int8, n, n * 8},
        rating{array::element::float8, n, n * 8}, review_count{array::element::int8, n, n * 8},
        trend_score{array::element::float8, n, n * 8}, is_trending{array::element::boolean, n, n},
        is_active{array::element::boolean, n, n}, hash{array::element::int8, n, n * 8},
        scraped{array::element::int8, n, n * 8};

    refused_ = nameless_;
    const auto checked = [this](text_column& column, const std::optional<std::string>& value,
                                bool (*good)(std::string_view) noexcept) {
        const bool fits = value && good(*value);
        refused_ += value && !fits;
        if (fits)
            column.add(*value);
        else
            column.add_null();
    };
    const auto finite = [this](array& column, const std::optional<double>& value) {
        const bool fits = value && std::isfinite(*value);
        refused_ += value && !fits;
        column.add(fits ? value : std::nullopt);
    };
    for (const auto& [entry_product, entry_hash, label] : order_) {
        const auto& p = *entry_product;
        source.add(p.source);
        external_id.add(p.external_id);
        kind.add(to_string(p.kind));
        title.add(p.title);
        description.add(p.description);
        url.add(p.url);
        image_url.add(p.image_url);
        if (label.empty())
            category.add_null();
        else
            category.add(label);
        checked(price_min, p.price_min, is_price);
        checked(price_max, p.price_max, is_price);
        checked(currency, p.currency, is_currency);
        sales_7d.add(p.sales_7d);
        sales_total.add(p.sales_total);
        finite(rating, p.rating);
        review_count.add(p.review_count);
        finite(trend_score, p.trend_score);
        is_trending.add(p.is_trending || p.kind == product_kind::trend);
        is_active.add(p.is_active);
        attributes.add_json(p.attributes);
        hash.add(entry_hash);
        scraped.add(p.scraped_at_ms);
    }
    postgres::params out;
    out.add(source.take()).add(external_id.take()).add(kind.take()).add(title.take()).add(description.take());
    out.add(url.take())
        .add(image_url.take())
        .add(category.take())
        .add(price_min.take())
        .add(price_max.take());
    out.add(currency.take()).add(std::move(sales_7d)).add(std::move(sales_total)).add(std::move(rating));
    out.add(std::move(review_count))
        .add(std::move(trend_score))
        .add(std::move(is_trending))
        .add(std::move(is_active));
    out.add(attributes.take())
        .add(std::move(hash))
        .add(std::move(scraped))
        .add(touch_unchanged_after_.count());
    out.add(page_.cursor)
        .add(page_.number)
        .add(found())
        .add(key_.job_id)
        .add(key_.job_timestamp_ms)
        .add(key_.attempt);
    return out;
}

std::int64_t page_commit::found() const noexcept {
    return page_.found < 0 ? static_cast<std::int64_t>(page_.products.size()) : page_.found;
}

postgres::batch page_commit::statements(bool with_categories) const {
    postgres::batch out;
    out.add(order_.empty() ? enter_unchanged_page : enter_page,
            postgres::params::of(key_.job_id, key_.job_timestamp_ms, key_.attempt, source_, page_.number));
    if (with_categories) {
        array names{array::element::text, categories_.size()};
        for (const auto& c : categories_)
            names.add(c);
        postgres::params values;
        values.add(std::move(names));
        out.add(add_categories, std::move(values));
    }
    if (order_.empty())
        out.add(advance_run, postgres::params::of(page_.cursor, page_.number, found(), key_.job_id,
                                                  key_.job_timestamp_ms, key_.attempt));
    else
        out.add(upsert_products, upsert_values());
    if (const auto& c = page_.cache) {
        // What a server sends in a header need not be UTF-8.
        const auto clean = [](const std::optional<std::string>& text) {
            return text ? std::optional{repair_utf8(*text)} : std::nullopt;
        };
        out.add(remember_page,
                postgres::params::of(repair_utf8(c->url), clean(c->etag), clean(c->last_modified),
                                     repair_utf8(c->digest), c->found, c->fetched_at_ms));
    }
    out.sync();
    out.add(current_lsn);
    if (!page_.next_url.empty()) out.add(find_page, postgres::params::of(page_.next_url));
    return out;
}

committed_page page_commit::read(const std::vector<postgres::rows>& answers, bool with_categories) const {
    committed_page out;
    const auto& upserted = answers.at(with_categories ? 2 : 1);
    out.changed.reserve(upserted.size());
    for (const auto r : upserted) {
        if (r[0].is_null()) {
            out.changed.push_back({r[5].int64(), std::string{r[6].text()}, std::string{r[7].text()},
                                   r[8].boolean(), r[9].boolean()});
            continue;
        }
        out.totals.pages = r[0].int64();
        out.totals.products_found = r[1].int64();
        out.totals.products_changed = r[2].int64();
        out.totals.attempt = static_cast<std::int32_t>(r[3].int64());
        out.totals.cursor = r[4].text();
    }
    const auto behind = answers.size() - (page_.next_url.empty() ? 1U : 2U);
    out.lsn = postgres::lsn::parse(answers.at(behind).front()[0].text()).value_or(postgres::lsn{});
    if (!page_.next_url.empty()) out.next_cached = cached_page_of(answers.back());
    return out;
}

} // namespace tiktrend::catalog::detail
