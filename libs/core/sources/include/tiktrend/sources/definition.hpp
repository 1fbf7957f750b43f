#pragma once
// A source definition: one YAML (or JSON) file that says how to ask a shop for pages and how to read records
// from them. The format is described in docs/adding-a-source.md. Everything here is pure: bytes in, values
// out, no I/O.
#include <tiktrend/base/error.hpp>

#include <boost/assert/source_location.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// One mistake in a definition file, or in how an operator uses it.
struct definition_error {
    std::string file;
    int line = 0;        ///< 1-based; 0 when the mistake is about the file as a whole
    int column = 0;      ///< 1-based, in bytes
    std::string field;   ///< dotted path, e.g. "fields.price_min.type"; empty for the whole file
    std::string message; ///< what was found and what is expected
};

/// `shopify.yaml:12:9: fields.price.type: expected one of …, found "mony"`
std::string to_string(const definition_error& e);

/// What result::value() does when there are errors: throws std::runtime_error with all of them. For callers
/// that know of none.
[[noreturn]] void throw_exception_from_error(const std::vector<definition_error>& errors,
                                             const boost::source_location&);

enum class record_kind : std::uint8_t { product, trend };
std::string_view name_of(record_kind kind) noexcept;

/// The site withdrew what this definition reads. It stays for its tests and for its history; a scrape of it
/// answers `retired`.
struct retirement {
    std::string since; ///< date, yyyy-mm-dd
    std::string note;
};

/// Bounds of one scrape. Reaching max_pages or max_items ends the scrape in order; the others are failures.
struct limits {
    std::int64_t max_pages = 100;
    std::int64_t max_items = 10'000;
    std::int64_t max_bytes = 8 << 20; ///< decoded body of one response
    std::chrono::milliseconds deadline = std::chrono::minutes{10};

    /// The smaller of both, member by member: what the file asks for under what the operator allows.
    limits capped_by(const limits& cap) const noexcept;
};

struct politeness {
    bool obey_robots = true;
    std::string
        robots_reason; ///< why robots.txt is ignored, to be logged; never empty when obey_robots is false
    std::chrono::milliseconds delay{1000}; ///< between two requests to one host; 0 means none
    int concurrency = 1;                   ///< requests in flight per host
};

enum class input_type : std::uint8_t { string, integer, boolean, currency, host, origin, url, css };
std::string_view name_of(input_type type) noexcept;

class pattern;
struct plan;

/// One input that a job may give.
struct input_field {
    std::string name;
    input_type type = input_type::string;
    std::string about;                        ///< shown to clients; may be empty
    std::optional<std::string> default_value; ///< as text, already checked
    bool optional = false;                  ///< may be absent without a default; templates then leave it out
    std::vector<std::string> choices;       ///< empty: any
    std::shared_ptr<const pattern> matches; ///< strings only; null: any
    std::int64_t min = 0;                   ///< integers: value; strings: characters
    std::int64_t max = 0;
    std::vector<std::string> hosts; ///< url, origin and host only: allowed host patterns; empty: any

    bool required() const noexcept { return !optional && !default_value; }
};

/// Immutable once parsed; shared between threads without locks.
struct definition {
    std::string id;
    int version = 1;
    std::string file; ///< name given to parse_definition()
    std::string about;
    record_kind kind = record_kind::product;
    std::optional<retirement> retired;
    std::vector<input_field> inputs;
    std::string input_schema;         ///< JSON Schema (2020-12) of the inputs as JSON text
    std::vector<std::string> secrets; ///< names that render_request() needs from its context
    std::vector<std::string>
        hosts; ///< allowed hosts ("shop.example", "*.shop.example"); empty: the file does not say
    sources::limits limits;
    sources::politeness politeness;
    bool keeps_cookies =
        false;                ///< `session: per_job`: cookies go from page to page of one job, and no further
    bool conditional = false; ///< send If-None-Match / If-Modified-Since when an earlier answer is known
    std::size_t test_count = 0;
    std::vector<std::string> follows; ///< ids of the sources that its `follow` rules hand links to

    std::shared_ptr<const sources::plan> plan; ///< the compiled rules; private to this library
};

using definition_ptr = std::shared_ptr<const definition>;

/// The largest definition file that is read.
inline constexpr std::size_t max_definition_bytes = 256 * 1024;

/// Parses and compiles one definition. Never throws on input; either the definition or every mistake found,
/// in file order. Anchors, aliases, tags, duplicate keys, several documents and files over
/// max_definition_bytes are refused.
result<definition_ptr, std::vector<definition_error>> parse_definition(std::string_view file_name,
                                                                       std::string_view yaml_text);

/// True if `host` (lower case, no port) is one of `patterns`. "*.shop.example" matches names below
/// shop.example, not itself. An empty list matches everything.
bool is_host_allowed(const std::vector<std::string>& patterns, std::string_view host) noexcept;

} // namespace tiktrend::sources
