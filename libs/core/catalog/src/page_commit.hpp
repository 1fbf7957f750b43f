#pragma once
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/postgres/connection.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::catalog::detail {

/// A page made ready for the database: cleaned, deduplicated, in lock order. Built once, sent as often as a
/// conflict asks.
class page_commit {
public:
    /// `key` and `page` must outlive it. Throws std::invalid_argument for a page without a number or a scrape
    /// time outside 2000 to 2100: mistakes of the caller.
    page_commit(const run_key& key, const scraped_page& page,
                std::chrono::milliseconds touch_unchanged_after);

    /// The category labels on the page, sorted, each once.
    const std::vector<std::string>& categories() const noexcept { return categories_; }
    /// First days of the months (UTC, Unix milliseconds) that the page's history rows fall into.
    const std::vector<std::int64_t>& months() const noexcept { return months_; }
    /// Values that could not be stored and were left out (a price that is none, …); records without an
    /// identity.
    std::size_t refused() const noexcept { return refused_; }

    /// Products that the transaction will send.
    std::size_t size() const noexcept { return order_.size(); }

    /// Asks which products the transaction would skip anyway, by key and hash alone: for a page that is
    /// likely to be known already this saves sending the rest.
    postgres::batch probe() const;
    /// Leaves out what the probe's answers do not name.
    void keep(const std::vector<postgres::rows>& probed);

    /// The transaction and, after its sync, the questions for the LSN and the next page's memory.
    /// `with_categories`: some label may be unknown.
    postgres::batch statements(bool with_categories) const;
    /// Takes the answers apart.
    committed_page read(const std::vector<postgres::rows>& answers, bool with_categories) const;

private:
    postgres::params upsert_values() const;
    void note_categories();
    std::int64_t found() const noexcept; ///< for the totals

    const run_key& key_;
    const scraped_page& page_;
    std::chrono::milliseconds touch_unchanged_after_;
    struct entry {
        const scraped_product* product;
        std::int64_t hash;
        std::string label; ///< cleaned category; empty: none
    };
    std::vector<entry> order_; ///< by (source, external_id), one each
    std::string_view source_;  ///< of the first product; empty: none
    std::vector<std::string> categories_;
    std::vector<std::int64_t> months_;
    std::size_t nameless_ = 0;
    mutable std::size_t refused_ = 0;
};

/// `text` as a category name: blanks trimmed and collapsed, at most 200 characters.
std::string clean_label(std::string_view text);

/// Makes text storable: valid UTF-8 without U+0000. Returns `text` itself if it is fine, otherwise a repaired
/// copy in `buffer`.
std::string_view storable(std::string_view text, std::string& buffer);
/// As above for JSON text; the escape \u0000 is removed too, which jsonb refuses.
std::string_view storable_json(std::string_view text, std::string& buffer);

} // namespace tiktrend::catalog::detail
