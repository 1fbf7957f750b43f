#pragma once
// Reading one response: which outcome it is, the records in it and where to go next.
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/input.hpp>
#include <tiktrend/sources/record.hpp>
#include <tiktrend/sources/request.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// The response as the fetcher got it: decoded body, header values. All views must live through read().
struct response_view {
    int status = 200;
    std::string_view content_type;  ///< header value or empty
    std::string_view url;           ///< address that answered, after redirects
    std::string_view requested_url; ///< address first asked; empty: same as url
    std::string_view location;      ///< Location header of a 3xx that was not followed; may be relative
    std::string_view body;          ///< decoded; JSON is read where it is, without a copy
    /// Names in lower case, values as received, in order. Definitions look at some of them (Link, totals).
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    /// For 304 only: whether the page had a next one when it was last read in full. Without it a 304 ends the
    /// scrape.
    std::optional<bool> had_next;
};

/// What a response means. Rules of the definition come first, in file order; then what its bytes say.
enum class outcome : std::uint8_t {
    ok,           ///< at least one valid record
    empty,        ///< no records, and the definition says that this is fine
    not_modified, ///< 304
    rate_limited, ///< wait; does not count as a try
    blocked,      ///< captcha, proof of work, refusal: leave the host alone for a while; never worked around
    login_required, ///< the operator's own account is needed
    not_found,      ///< nothing there
    retired,        ///< the site withdrew it for everybody
    invalid,        ///< understood, but not what the definition expects: too few valid rows, an error code, a
                    ///< changed layout
    transient,      ///< try again with backoff
    unexpected_empty,   ///< 2xx without a single valid record, and no rule says that this is fine
    unexpected_content, ///< HTML where JSON was asked
    bad_json,           ///< not JSON, or nested deeper than 128
    empty_body,         ///< 2xx with an empty body
};
std::string_view name_of(outcome o) noexcept;

/// How a job should take an outcome.
enum class reaction : std::uint8_t {
    proceed,   ///< ok, empty, not_modified
    wait,      ///< rate_limited: Retry-After or backoff, no try used up
    retry,     ///< transient, bad_json: backoff, a try used up
    cool_down, ///< blocked, empty_body, unexpected_content: fail; no retry soon
    give_up, ///< login_required, not_found, retired, invalid, unexpected_empty: trying again changes nothing
};
reaction reaction_to(outcome o) noexcept;

/// Why there is no next page.
enum class page_end : std::uint8_t {
    none,         ///< there is one
    single,       ///< the definition has no `pages`
    until,        ///< the `until` condition holds
    no_more,      ///< `more` says no
    last_page,    ///< the number given by `last` is reached
    no_records,   ///< outcome `empty`
    repeated,     ///< the page, or all of its keys, came before
    max_pages,    ///< the definition's own limit or pages.max
    max_items,    ///< ditto
    not_modified, ///< 304 and response_view::had_next does not say
    no_next,      ///< no cursor or link leads on
    foreign_link, ///< the next link leads to another host, which the definition does not allow
    failed,       ///< the outcome is no success
};
std::string_view name_of(page_end e) noexcept;

/// How one field fared on this page.
struct field_stats {
    std::string_view name;     ///< lives as long as the definition
    std::int64_t missing = 0;  ///< rows where nothing was found
    std::int64_t rejected = 0; ///< rows where something was found and refused
    std::vector<std::int64_t>
        won; ///< rows per alternative, in file order; a rising share of later ones means drift
};

/// A row that was dropped, or a value that became null, with the reason. At most 10 a page are kept.
struct row_problem {
    std::int64_t row = 0; ///< 0-based
    std::string field;
    std::string message; ///< names the value found, cut to 80 characters
};

/// What had to be mended or passed over in the documents of the page.
struct document_notes {
    std::int64_t duplicate_keys = 0;      ///< the first one counts
    std::int64_t replaced_surrogates = 0; ///< lone halves of a pair, now U+FFFD
    bool repaired_utf8 = false;           ///< invalid bytes, now U+FFFD
    bool cut_markup = false;              ///< deeper or larger than the tree may be: the rest was left out
};

/// A job that the page asks for: another source with one of the page's links.
struct follow_up {
    std::string source;  ///< definition id
    std::string filters; ///< its inputs as a JSON object, not yet checked against its definition
    std::string url;     ///< the link itself
};

struct page_statistics {
    std::int64_t rows = 0;       ///< found by `records`
    std::int64_t valid = 0;      ///< rows with every required field and a key
    std::int64_t duplicates = 0; ///< valid rows whose key came before on this page; the first is kept
    std::int64_t over_limit = 0; ///< valid rows cut by max_items
    std::vector<field_stats> fields;
    std::vector<row_problem> problems;
    document_notes notes;
};

struct page_result {
    sources::outcome outcome = sources::outcome::transient;
    std::string message;         ///< one line for failedReason and the log; empty for ok
    std::vector<record> records; ///< only with outcome ok
    /// Only with outcome ok: links to hand on (a sitemap's pages), each once, at most limits.max_items. A
    /// page of a definition without `records` is ok when it has some.
    std::vector<follow_up> follow;
    std::optional<page_state> next;
    page_end end = page_end::failed; ///< none exactly when `next` is there
    page_statistics statistics;
};

/// Whether a page that was not sent (304) tells where to go on: not where what leads on, a cursor or a link,
/// stands in the answer itself.
bool goes_on_unread(const definition& source) noexcept;

/// Reads pages. Keeps its buffers from page to page, so one reader per thread (or per job) saves allocations.
/// Not thread-safe. Never throws on input; memory is bounded by a small multiple of the body.
class page_reader {
public:
    page_reader();
    ~page_reader();
    page_reader(page_reader&&) noexcept;
    page_reader& operator=(page_reader&&) noexcept;

    /// `state` is the state that the request was rendered from; move it in, its parts are reused for `next`.
    page_result read(const definition& source, const input_values& inputs, page_state state,
                     const response_view& response);

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

/// The same with a reader made for the one call.
page_result read_page(const definition& source, const input_values& inputs, page_state state,
                      const response_view& response);

} // namespace tiktrend::sources
