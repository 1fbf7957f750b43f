#pragma once
#include <tiktrend/base/random.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::observe {

/// Where a request stands in a distributed trace (https://www.w3.org/TR/trace-context/). Ids are lower-case
/// hex as they travel.
struct trace_context {
    std::string trace_id; ///< 32 digits
    std::string span_id;  ///< 16 digits: "parent-id" when it came in, ours when it goes out
    bool sampled = false;
    std::string state; ///< tracestate as it came

    /// The value of traceparent, version 00.
    std::string traceparent() const;
    /// The same trace with a span id of our own, for calls that we make and jobs that we add.
    trace_context child(random_source& random) const;
};

/// nullopt for all-zero ids, upper case, version ff and wrong lengths. Of a higher version than 00 the first
/// four fields are read.
std::optional<trace_context> parse_traceparent(std::string_view text);

/// What a request arrives with: its own context with `tracestate` kept as it is, or a new trace, without the
/// state, when traceparent is missing or malformed.
trace_context receive_trace(std::string_view traceparent, std::string_view tracestate, random_source& random);

/// A new trace; not sampled, since nobody asked for it.
trace_context new_trace(random_source& random);

} // namespace tiktrend::observe
