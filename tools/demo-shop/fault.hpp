#pragma once
#include <tiktrend/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::demo_shop {

/// The ways in which the shop misbehaves on demand. The names are what requests and rules say.
enum class fault_kind {
    status, ///< "status": an error status (`status`, default 500) with a small body and, if set, Retry-After
    slow,   ///< "slow": the right answer, after `delay_ms` (default 5000)
    hang,   ///< "hang": accepts the request and says nothing
    drip,   ///< "drip": the right answer, one byte every `delay_ms` (default 100)
    cut,    ///< "cut": the connection ends in the middle of the body
    reset,  ///< "reset": as cut, but by RST
    long_length,    ///< "long_length": Content-Length promises more than there is
    short_length,   ///< "short_length": Content-Length promises less than is sent
    truncated_gzip, ///< "truncated_gzip": a gzip body that ends early
    gzip_bomb,      ///< "gzip_bomb": a small gzip body that becomes `bytes` (default 64 MiB)
    empty,          ///< "empty": 200 without a body
    html,           ///< "html": 200 with a page for people
    bad_json,       ///< "bad_json": JSON that stops in the middle, correctly framed
    redirect_loop,  ///< "redirect_loop": 302 to itself
    redirect,       ///< "redirect": 302 to `to` (default an address inside a cloud network)
    endless,        ///< "endless": a chunked body without end
    huge,           ///< "huge": valid JSON of `bytes` (default 64 MiB)
};

struct fault {
    fault_kind kind = fault_kind::status;
    int status = 500;
    std::optional<int> retry_after;     ///< seconds
    std::chrono::milliseconds delay{0}; ///< 0: the kind's default
    std::uint64_t bytes = 0;            ///< 0: the kind's default
    std::string to;
};

/// A rule: the next `count` requests under a path, after `skip` of them went well.
struct fault_rule {
    std::string path = "/"; ///< prefix of the request's path
    std::uint64_t count = 1;
    std::uint64_t skip = 0;
    fault what;
};

/// What was asked for cannot be read; what() says why.
struct bad_control : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string_view name_of(fault_kind k) noexcept;
/// A kind's name, or a status such as "429" for short. Throws bad_control.
fault parse_fault(std::string_view name);

/// From the query of any request: `misbehave=429&retry_after=1`, `misbehave=drip&delay_ms=50`. Nothing
/// without `misbehave`.
std::optional<fault> fault_from_query(std::string_view query);
/// From the body of POST /_control: one rule or {"rules": […]}. Throws bad_control.
std::vector<fault_rule> rules_from_json(std::string_view body);

/// Holds the rules and counts them down.
class fault_plan {
public:
    void add(std::vector<fault_rule> rules);
    void clear() { rules_.clear(); }
    /// The fault for this request, if any: the first rule that matches its path and is not used up.
    std::optional<fault> next(std::string_view path);
    const std::vector<fault_rule>& rules() const noexcept { return rules_; } ///< with what is left of each

private:
    std::vector<fault_rule> rules_;
};

/// The right answer `good` turned into what the fault wants.
http::response spoil(const fault& f, const http::request& r, http::response good);

} // namespace tiktrend::demo_shop
