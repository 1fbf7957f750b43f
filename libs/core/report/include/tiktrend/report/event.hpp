#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::report {

/// What every report says about the process it comes from.
struct origin {
    std::string program;     ///< "tiktrend-worker"
    std::string release;     ///< "tiktrend-worker@0.1.0"
    std::string environment; ///< "production"
    std::string server_name;
};

/// Of a program that runs here: its release is the project's version, its server name the host's name.
origin this_process(std::string_view program, std::string_view environment);

/// One report, ready to be posted.
struct event {
    std::string kind;    ///< the log line's event: reports of one kind are one issue (`fingerprint`)
    std::string payload; ///< JSON (develop.sentry.dev/sdk/data-model/event-payloads), secrets removed
};

/// A log line of level error as an event; nothing for other levels and for what is no log line. `event_id`:
/// 32 hexadecimal digits. `suppressed`: events of the kind not sent since the last one.
std::optional<std::string> kind_of(std::string_view log_line);
std::optional<event> make_event(std::string_view log_line, const origin& from, std::string_view event_id,
                                std::uint64_t suppressed);

/// The body of a POST (develop.sentry.dev/sdk/data-model/envelopes): a header line, an item header line, the
/// payload.
std::string make_envelope(const event& e, std::string_view event_id);

} // namespace tiktrend::report
