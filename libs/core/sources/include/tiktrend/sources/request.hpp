#pragma once
// From a definition, its inputs and a page state to the request for that page.
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/input.hpp>
#include <tiktrend/sources/key_history.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// Where a scrape stands: all that is needed to ask for the next page. Start from first_page(); continue with
/// page_result::next.
struct page_state {
    std::int64_t number = 1; ///< {{ page.number }}; {{ page.offset }} where offsets count
    std::int64_t index = 0;  ///< pages read before this one
    std::int64_t items = 0;  ///< records taken from them
    std::string cursor;      ///< {{ cursor }}; empty on the first page
    std::string url;         ///< address of the next page where pages link to each other; empty on the first
    std::vector<std::uint64_t> page_digests; ///< keys (and cursors) of each page read, to notice one that
                                             ///< comes again
    /// Key hashes seen in this process, to notice a page without a new key. Not part of to_json(): after a
    /// resume the page digests alone guard against repetition.
    key_history seen_keys;

    /// Compact JSON for the job's saved cursor (8 bytes a page read).
    std::string to_json() const;
    /// Nothing if the text is not what to_json() writes.
    static std::optional<page_state> from_json(std::string_view text);
};

page_state first_page(const definition& source);

/// What the operator gives and no user can: secrets and the shops that may be asked without TLS.
struct render_context {
    std::map<std::string, std::string, std::less<>> secrets;
    /// "127.0.0.1:4000" or "127.0.0.1" (any port): an https URL to one of these is asked over http. For local
    /// shops and tests.
    std::vector<std::string> plain_http_hosts;
};

struct request_header {
    std::string name; ///< lower case
    std::string value;
    bool is_secret = false; ///< not to be logged, nor sent on to another host after a redirect
};

struct request_spec {
    std::string method = "GET";
    std::string url;         ///< absolute, percent-encoded
    std::string display_url; ///< the same with secrets replaced by ***: the one to log
    std::vector<request_header> headers;
    std::string body;         ///< with POST; its content-type is among the headers
    bool conditional = false; ///< may carry If-None-Match / If-Modified-Since of an earlier answer
    bool has_secrets = false; ///< in the URL, in a header or in the body
};

enum class render_errc : std::uint8_t {
    missing_secret, ///< the operator gave no value for a secret: report login_required
    bad_value, ///< a value may not stand where its template puts it (a slash in a host, a line break in a
               ///< header)
    bad_url,   ///< the result is no absolute http or https URL
    host_not_allowed, ///< not in the definition's hosts
};

struct render_error {
    render_errc code = render_errc::bad_url;
    std::string message; ///< never holds a secret
};

/// What result::value() does on an error: throws std::runtime_error with its message.
[[noreturn]] void throw_exception_from_error(const render_error& error, const boost::source_location&);

result<request_spec, render_error> render_request(const definition& source, const input_values& inputs,
                                                  const render_context& context, const page_state& page);

} // namespace tiktrend::sources
