#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::report {

/// Where error reports go: `https://KEY[:SECRET]@HOST[:PORT][/PATH]/PROJECT`
/// (develop.sentry.dev/sdk/overview, "Parsing the DSN").
struct dsn {
    std::string key;
    std::string origin;       ///< "https://host:port"
    std::string host_port;    ///< "host:port", for the address guard
    std::string envelope_url; ///< where envelopes are posted to
};

/// Nothing if the text has no key, host or project, or is not http(s).
std::optional<dsn> parse_dsn(std::string_view text);

} // namespace tiktrend::report
