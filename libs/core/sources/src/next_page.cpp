#include "next_page.hpp"

#include "key_hash.hpp"
#include "values/web_address.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t longest_cursor = 4096;

std::string_view host_of(std::string_view url) noexcept {
    url.remove_prefix(std::min(url.find("//") + 2, url.size()));
    url = url.substr(0, url.find_first_of("/?#"));
    return url.ends_with(']') ? url : url.substr(0, url.rfind(':'));
}

bool says_more(json_node node) {
    std::string scratch;
    const auto text = node.text(scratch);
    return !(node.kind() == json_kind::null || text.empty() || text == "false" || text == "0");
}

} // namespace

page_end next_page::find(bool is_over) {
    if (pages_.by == paging_rule::kind::none) return page_end::single;
    if (is_over) return page_end::until;
    if (pages_.more && !says_more(first_at(facts_.documents().json(pages_.document), *pages_.more)))
        return page_end::no_more;
    if (is_last()) return page_end::last_page;
    if (state_.items >= source_.limits.max_items) return page_end::max_items;
    if (is_at_max_pages()) return page_end::max_pages;
    switch (pages_.by) {
    case paging_rule::kind::cursor: {
        auto cursor = facts_.text_at(pages_, pages_.next);
        if (cursor.empty() || cursor.size() > longest_cursor) return page_end::no_next;
        if (cursor == state_.cursor || !remember(cursor)) return page_end::repeated;
        state_.cursor = std::move(cursor);
        return page_end::none;
    }
    case paging_rule::kind::link:
        return follow(facts_.text_at(pages_, pages_.next), facts_.documents().base_url());
    case paging_rule::kind::header:
        return follow(std::string{facts_.link(pages_.relation)}, response_.url);
    default:
        return page_end::none;
    }
}

bool next_page::is_at_max_pages() const noexcept {
    return state_.index + 1 >=
           std::min(source_.limits.max_pages, pages_.max.value_or(source_.limits.max_pages));
}

/// A page that does not tell its number is the last one only if nothing else would end the list.
bool next_page::is_last() const {
    const bool ends_otherwise = pages_.until || pages_.more || pages_.stop_on_repeat;
    if (pages_.last.index() != 0) {
        const auto last = to_integer(facts_.text_at(pages_, pages_.last));
        return last ? state_.number >= *last : !ends_otherwise;
    }
    if (pages_.total.index() == 0) return false;
    const auto total = to_integer(facts_.text_at(pages_, pages_.total));
    return total ? state_.number + pages_.step >= *total + pages_.start : !ends_otherwise;
}

page_end next_page::follow(const std::string& link, std::string_view base) {
    if (link.empty()) return page_end::no_next;
    auto url = page_address{base}.resolve(link);
    if (!url) return page_end::no_next;
    const auto host = host_of(*url);
    const bool is_allowed =
        source_.hosts.empty() ? host == host_of(response_.url) : is_host_allowed(source_.hosts, host);
    // What an https page was given in confidence does not go out in plain text because the page says so.
    const bool is_exposed =
        !source_.secrets.empty() && response_.url.starts_with("https:") && url->starts_with("http:");
    if (!is_allowed || is_exposed) return page_end::foreign_link;
    if (*url == response_.url || *url == state_.url || !remember(*url)) return page_end::repeated;
    state_.url = std::move(*url);
    return page_end::none;
}

/// False if a page was asked by this cursor or link before.
bool next_page::remember(std::string_view cursor) {
    const auto digest = hash_of(cursor);
    auto& all = state_.page_digests;
    if (std::find(all.begin(), all.end(), digest) != all.end()) return false;
    all.push_back(digest);
    return true;
}

} // namespace tiktrend::sources
