#include "page_facts.hpp"
#include "row_reader.hpp"

#include <tiktrend/sources/page.hpp>

#include <algorithm>
#include <iterator>

namespace tiktrend::sources {
namespace {

/// FNV-1a, 64 bits. Persisted in saved cursors: do not change.
class hasher {
public:
    void add(std::string_view bytes) noexcept {
        for (const char c : bytes)
            step(static_cast<unsigned char>(c));
        step(0xFF); // never part of UTF-8: keeps neighbours apart
    }
    std::uint64_t value() const noexcept { return value_; }

private:
    void step(unsigned char byte) noexcept { value_ = (value_ ^ byte) * 0x100000001B3U; }
    std::uint64_t value_ = 0xCBF29CE484222325U;
};

std::uint64_t hash_of(std::string_view text) noexcept {
    hasher h;
    h.add(text);
    return h.value();
}

/// What a status means when no rule of the definition says so.
std::optional<outcome> outcome_of_status(int status) noexcept {
    if (status >= 200 && status <= 299) return std::nullopt;
    switch (status) {
    case 401:
        return outcome::login_required;
    case 403:
        return outcome::blocked;
    case 404:
    case 410:
        return outcome::not_found;
    case 408:
    case 425:
        return outcome::transient;
    case 429:
        return outcome::rate_limited;
    default:
        return status >= 500 ? outcome::transient : outcome::invalid;
    }
}

/// One response on its way to a page_result.
class reading {
public:
    reading(const definition& source, const input_values& inputs, page_state state,
            const response_view& response, json_document& document)
        : source_{source}, rules_{*source.plan}, inputs_{inputs}, state_{std::move(state)},
          response_{response}, facts_{response_, state_, document} {}

    page_result run() && {
        if (response_.status == 304) {
            not_modified();
        } else if (const auto* rule = first_rule(); rule != nullptr && rule->is != outcome::ok) {
            by_rule(*rule);
        } else if (const auto by_status = outcome_of_status(response_.status); by_status && rule == nullptr) {
            fail(*by_status, "");
        } else if (facts_.json() != json_status::ok) {
            unreadable();
        } else {
            read_records();
        }
        out_.statistics.notes = facts_.notes();
        return std::move(out_);
    }

private:
    const outcome_rule* first_rule() {
        const auto found = std::find_if(rules_.outcomes.begin(), rules_.outcomes.end(),
                                        [&](const auto& r) { return facts_.holds(r.when); });
        return found != rules_.outcomes.end() ? &*found : nullptr;
    }

    /// The outcome with a message that says what stood on the wire.
    void fail(outcome is, std::string_view reason) {
        out_.outcome = is;
        out_.end = page_end::failed;
        out_.message = fmt::format("{}{}{} (HTTP {})", name_of(is), reason.empty() ? "" : ": ",
                                   excerpt(reason, 300), response_.status);
    }

    void end_of_list(page_end end, std::string_view reason) {
        fail(outcome::empty, reason);
        out_.end = end;
    }

    void by_rule(const outcome_rule& rule) {
        std::string reason;
        if (const auto* text = std::get_if<std::string>(&rule.message)) reason = *text;
        if (const auto* way = std::get_if<path>(&rule.message)) {
            std::string scratch;
            reason = first_at(facts_.root(0), *way).text(scratch);
        }
        fail(rule.is, reason);
        if (rule.is == outcome::empty) out_.end = page_end::no_records;
        if (rule.is == outcome::not_modified) not_modified();
    }

    void not_modified() {
        out_.outcome = outcome::not_modified;
        out_.message = fmt::format("not_modified (HTTP {})", response_.status);
        if (rules_.pages.by == paging_rule::kind::none)
            out_.end = page_end::single;
        else if (!response_.had_next)
            out_.end = page_end::not_modified;
        else if (!*response_.had_next)
            out_.end = page_end::until;
        else if (is_at_max_pages())
            out_.end = page_end::max_pages;
        else
            go_on();
    }

    void unreadable() {
        if (facts_.json() == json_status::empty)
            fail(outcome::empty_body, "");
        else if (facts_.looks_like_markup())
            fail(outcome::unexpected_content,
                 fmt::format("{} where JSON is expected",
                             response_.content_type.empty() ? "markup" : response_.content_type));
        else
            fail(outcome::bad_json, facts_.json_problem());
    }

    void read_records() {
        const page_address address{response_.url};
        page_scope scope{rules_, inputs_, state_, response_.url, address, {}};
        for (std::size_t i = 0; i < rules_.documents.size(); ++i)
            scope.documents.push_back(facts_.root(i));
        row_reader rows{scope, out_.statistics};
        for_each_at(facts_.root(rules_.records_document), rules_.records, [&](json_node node) {
            if (node.is(json_kind::array)) {
                out_.records.reserve(node.size() <= 1000 ? node.size() : 1000);
                return node.each_value([&](json_node row) { return add_row(rows, row); });
            }
            return node.kind() == json_kind::null || add_row(rows, node);
        });
        judge();
    }

    /// False once max_items is reached and enough was counted.
    bool add_row(row_reader& rows, json_node row) {
        auto& statistics = out_.statistics;
        const auto index = statistics.rows++;
        auto record = rows.read(row, index);
        if (!record) return true;
        ++statistics.valid;
        const auto hash = hash_of(record->key);
        digest_.add(record->key);
        keys_.push_back(hash);
        out_.records.push_back(std::move(*record));
        return statistics.rows < 2 * source_.limits.max_items;
    }

    void judge() {
        const auto& statistics = out_.statistics;
        const bool is_over = rules_.pages.until && facts_.holds(*rules_.pages.until);
        if (statistics.valid == 0) {
            out_.records.clear();
            if (statistics.rows > 0)
                fail(outcome::invalid,
                     fmt::format("none of {} rows is valid{}", statistics.rows, first_problem()));
            else if (is_over && state_.index > 0)
                end_of_list(page_end::until, "the list ended on the page before");
            else
                fail(outcome::unexpected_empty, "no records, and no rule says that this is fine");
            return;
        }
        if (statistics.valid * 100 < statistics.rows * rules_.min_valid_percent) {
            out_.records.clear();
            fail(outcome::invalid,
                 fmt::format("{} of {} rows are valid, at least {} % must be{}", statistics.valid,
                             statistics.rows, rules_.min_valid_percent, first_problem()));
            return;
        }
        if (rules_.pages.stop_on_repeat && is_repeated()) {
            out_.records.clear();
            end_of_list(page_end::repeated,
                        fmt::format("page {} has nothing that did not come before", state_.number));
            return;
        }
        out_.outcome = outcome::ok;
        drop_duplicates();
        out_.end = end_of_pages(is_over);
        if (out_.end == page_end::none) go_on();
    }

    std::string first_problem() const {
        if (out_.statistics.problems.empty()) return {};
        const auto& p = out_.statistics.problems.front();
        return fmt::format("; row {}: {}: {}", p.row, p.field, p.message);
    }

    bool is_repeated() const {
        const auto& pages = state_.page_digests;
        if (std::find(pages.begin(), pages.end(), digest_.value()) != pages.end()) return true;
        return std::all_of(keys_.begin(), keys_.end(), [&](auto h) { return was_seen(h); });
    }

    bool was_seen(std::uint64_t hash) const {
        return std::binary_search(state_.seen_keys.begin(), state_.seen_keys.end(), hash);
    }

    /// Leaves each key once, those of earlier pages not at all, and no more than max_items in the whole
    /// scrape.
    void drop_duplicates() {
        auto& statistics = out_.statistics;
        const auto room = std::max<std::int64_t>(source_.limits.max_items - state_.items, 0);
        std::vector<std::uint64_t> fresh;
        std::vector<std::pair<std::uint64_t, std::size_t>> sorted;
        for (std::size_t i = 0; i < keys_.size(); ++i)
            sorted.emplace_back(keys_[i], i);
        std::sort(sorted.begin(), sorted.end());
        std::vector<bool> keep(keys_.size(), true);
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            const bool comes_again = i > 0 && sorted[i].first == sorted[i - 1].first;
            if (comes_again || was_seen(sorted[i].first))
                keep[sorted[i].second] = false;
            else
                fresh.push_back(sorted[i].first);
        }
        std::size_t kept = 0;
        for (std::size_t i = 0; i < keep.size(); ++i) {
            if (!keep[i]) {
                ++statistics.duplicates;
            } else if (static_cast<std::int64_t>(kept) == room) {
                ++statistics.over_limit;
            } else {
                if (kept != i) out_.records[kept] = std::move(out_.records[i]);
                ++kept;
            }
        }
        out_.records.resize(kept);
        state_.items += static_cast<std::int64_t>(kept);
        std::vector<std::uint64_t> all;
        all.reserve(state_.seen_keys.size() + fresh.size());
        std::merge(state_.seen_keys.begin(), state_.seen_keys.end(), fresh.begin(), fresh.end(),
                   std::back_inserter(all));
        state_.seen_keys = std::move(all);
    }

    page_end end_of_pages(bool is_over) {
        const auto& pages = rules_.pages;
        if (pages.by == paging_rule::kind::none) return page_end::single;
        if (is_over) return page_end::until;
        if (pages.more && !says_more(first_at(facts_.root(0), *pages.more))) return page_end::no_more;
        if (pages.last && is_last_page()) return page_end::last_page;
        if (state_.items >= source_.limits.max_items) return page_end::max_items;
        return is_at_max_pages() ? page_end::max_pages : page_end::none;
    }

    bool is_at_max_pages() const noexcept {
        return state_.index + 1 >=
               std::min(source_.limits.max_pages, rules_.pages.max.value_or(source_.limits.max_pages));
    }

    static bool says_more(json_node node) {
        std::string scratch;
        const auto text = node.text(scratch);
        return !(node.kind() == json_kind::null || text.empty() || text == "false" || text == "0");
    }

    bool is_last_page() {
        std::string scratch;
        const auto last = to_integer(first_at(facts_.root(0), *rules_.pages.last).text(scratch));
        return !last || state_.number >= *last;
    }

    void go_on() {
        out_.end = page_end::none;
        if (rules_.pages.stop_on_repeat && response_.status != 304)
            state_.page_digests.push_back(digest_.value());
        ++state_.number;
        ++state_.index;
        out_.next = std::move(state_);
    }

    const definition& source_;
    const plan& rules_;
    const input_values& inputs_;
    page_state state_;
    response_view response_;
    page_facts facts_;
    page_result out_;
    hasher digest_;
    std::vector<std::uint64_t> keys_; ///< hashes of the keys of out_.records
};

} // namespace

struct page_reader::parts {
    json_document document;
};

page_reader::page_reader() : parts_{std::make_unique<parts>()} {}
page_reader::~page_reader() = default;
page_reader::page_reader(page_reader&&) noexcept = default;
page_reader& page_reader::operator=(page_reader&&) noexcept = default;

page_result page_reader::read(const definition& source, const input_values& inputs, page_state state,
                              const response_view& response) {
    return reading{source, inputs, std::move(state), response, parts_->document}.run();
}

page_result read_page(const definition& source, const input_values& inputs, page_state state,
                      const response_view& response) {
    page_reader reader;
    return reader.read(source, inputs, std::move(state), response);
}

} // namespace tiktrend::sources
