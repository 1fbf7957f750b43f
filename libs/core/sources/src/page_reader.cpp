#include "follow_links.hpp"
#include "glob.hpp"
#include "key_hash.hpp"
#include "next_page.hpp"
#include "page_facts.hpp"
#include "row_reader.hpp"

#include <tiktrend/sources/page.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

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
            const response_view& response, document_set& documents)
        : source_{source}, rules_{*source.plan}, inputs_{inputs}, state_{std::move(state)},
          response_{response}, facts_{rules_, response_, state_, documents}, documents_{documents},
          next_{source_, response_, facts_, state_} {}

    page_result run() && {
        if (response_.status == 304) {
            not_modified();
        } else if (const auto* rule = first_rule(); rule != nullptr && rule->is != outcome::ok) {
            by_rule(*rule);
        } else if (const auto by_status = outcome_of_status(response_.status); by_status && rule == nullptr) {
            fail(*by_status, "");
        } else if (const auto broken = unreadable_document()) {
            unreadable(*broken);
        } else {
            read_records();
        }
        out_.statistics.notes = documents_.notes();
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
            reason = first_at(documents_.json(rules_.json_document), *way).text(scratch);
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
        else if (next_.is_at_max_pages())
            out_.end = page_end::max_pages;
        else if (rules_.pages.by == paging_rule::kind::number || rules_.pages.by == paging_rule::kind::offset)
            go_on();
        else
            out_.end = page_end::not_modified; // what leads on stood in the body
    }

    /// The document that the page cannot be read without and that is not there; nothing if all is well.
    std::optional<std::size_t> unreadable_document() {
        if (!rules_.records.first_of.empty()) {
            const auto& all = rules_.records.first_of;
            const auto is_there = [&](auto i) { return documents_.status(i) == document_status::ok; };
            return std::any_of(all.begin(), all.end(), is_there) ? std::nullopt : std::optional{all.back()};
        }
        const auto needed = rules_.records.is_given || rules_.follow.empty() ? rules_.records.document
                                                                             : rules_.follow.front().document;
        if (documents_.status(needed) != document_status::ok) return needed;
        // A tree can be made of anything.
        const bool is_json =
            documents_.rule(needed).is_tree() && !documents_.looks_like_markup() && documents_.is_body_json();
        return is_json ? std::optional{needed} : std::nullopt;
    }

    void unreadable(std::size_t document) {
        const auto& rule = documents_.rule(document);
        switch (documents_.status(document)) {
        case document_status::empty:
            fail(outcome::empty_body, "");
            return;
        case document_status::ok:
            fail(outcome::unexpected_content, "JSON where a page is expected");
            return;
        case document_status::missing:
            if (rules_.records.first_of.empty())
                fail(outcome::unexpected_content,
                     fmt::format("{}: {}", rule.name, documents_.problem(document)));
            else
                fail(outcome::unexpected_empty, "the page describes nothing of the kind");
            return;
        case document_status::bad:
            break;
        }
        const bool expects_json = rule.parse == document_rule::kind::json;
        if (expects_json && documents_.looks_like_markup())
            fail(outcome::unexpected_content,
                 fmt::format("{} where JSON is expected",
                             response_.content_type.empty() ? "markup" : response_.content_type));
        else if (rule.is_tree())
            fail(outcome::unexpected_content, fmt::format("{}: {}", rule.name, documents_.problem(document)));
        else
            fail(outcome::bad_json, expects_json
                                        ? documents_.problem(document)
                                        : fmt::format("{}: {}", rule.name, documents_.problem(document)));
    }

    void read_records() {
        const page_address address{documents_.base_url()};
        page_scope scope{rules_, inputs_, state_, response_.url, address, documents_, {}};
        const auto& records = rules_.records;
        row_reader rows{scope, out_.statistics};
        if (records.is_given && !records.first_of.empty()) {
            for (const auto i : records.first_of)
                if (documents_.status(i) == document_status::ok)
                    scope.merged.emplace_back(documents_.json(i)); // nothing for a tree: selectors find it
            const auto row = scope.merged.front();
            if (!records.merges) scope.merged.clear();
            add_row(rows, row);
        } else if (records.rows) {
            auto& page = documents_.page(records.document);
            const auto status = page.select(*records.rows, documents_.tree(records.document),
                                            [&](html_node node) { return add_row(rows, row_ref{node}); });
            if (status != select_status::ok) {
                fail(outcome::invalid, "selector_too_costly: " + records.rows->written);
                return;
            }
        } else if (records.is_given) {
            const auto root = documents_.json(records.document);
            if (!root.exists()) add_row(rows, row_of(records.document));
            const auto leads_on = [&](const path& way) {
                const auto node = first_at(root, way);
                return node.exists() && node.kind() != json_kind::null;
            };
            const auto way = std::find_if(records.ways.begin(), records.ways.end(), leads_on);
            const auto add = [&](json_node node) {
                if (node.is(json_kind::array)) {
                    out_.records.reserve(node.size() <= 1000 ? node.size() : 1000);
                    return node.each_value([&](json_node row) { return add_row(rows, row_ref{row}); });
                }
                return node.kind() == json_kind::null || add_row(rows, row_ref{node});
            };
            if (way != records.ways.end()) for_each_at(root, *way, add);
        }
        if (!rules_.follow.empty()) {
            link_collector links{source_, inputs_, documents_, address};
            for (const auto& rule : rules_.follow)
                out_.statistics.over_limit += links.add(rule, out_.follow);
        }
        judge();
    }

    row_ref row_of(std::size_t document) {
        return documents_.rule(document).is_tree() ? row_ref{documents_.tree(document)}
                                                   : row_ref{documents_.json(document)};
    }

    /// False once max_items is reached and enough was counted.
    bool add_row(row_reader& rows, row_ref row) {
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
        if (statistics.valid == 0 && statistics.rows == 0 && !out_.follow.empty()) {
            out_.outcome = outcome::ok;
            out_.end = next_.find(is_over);
            if (out_.end == page_end::none) go_on();
            return;
        }
        if (statistics.valid == 0) {
            out_.records.clear();
            out_.follow.clear();
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
        out_.end = next_.find(is_over);
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

    bool was_seen(std::uint64_t hash) const { return state_.seen_keys.contains(hash); }

    /// Leaves each key once, those of earlier pages not at all, and no more than max_items in the whole
    /// scrape.
    void drop_duplicates() {
        auto& statistics = out_.statistics;
        const auto room = std::max<std::int64_t>(source_.limits.max_items - state_.items, 0);
        std::vector<std::uint64_t> fresh;
        fresh.reserve(keys_.size());
        std::vector<std::pair<std::uint64_t, std::size_t>> sorted;
        sorted.reserve(keys_.size());
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
        state_.seen_keys.add(std::move(fresh));
    }

    void go_on() {
        out_.end = page_end::none;
        if (rules_.pages.stop_on_repeat && response_.status != 304)
            state_.page_digests.push_back(digest_.value());
        state_.number += rules_.pages.step;
        ++state_.index;
        out_.next = std::move(state_);
    }

    const definition& source_;
    const plan& rules_;
    const input_values& inputs_;
    page_state state_;
    response_view response_;
    page_facts facts_;
    document_set& documents_;
    next_page next_;
    page_result out_;
    hasher digest_;
    std::vector<std::uint64_t> keys_; ///< hashes of the keys of out_.records
};

} // namespace

struct page_reader::parts {
    document_set documents;
};

page_reader::page_reader() : parts_{std::make_unique<parts>()} {}
page_reader::~page_reader() = default;
page_reader::page_reader(page_reader&&) noexcept = default;
page_reader& page_reader::operator=(page_reader&&) noexcept = default;

page_result page_reader::read(const definition& source, const input_values& inputs, page_state state,
                              const response_view& response) {
    return reading{source, inputs, std::move(state), response, parts_->documents}.run();
}

page_result read_page(const definition& source, const input_values& inputs, page_state state,
                      const response_view& response) {
    page_reader reader;
    return reader.read(source, inputs, std::move(state), response);
}

} // namespace tiktrend::sources
