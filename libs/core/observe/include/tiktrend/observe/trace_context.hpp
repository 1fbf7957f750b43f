#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::observe {

/// W3C Trace Context (https://www.w3.org/TR/trace-context/): who asked for this work.
struct trace_context {
    std::string trace_id;  ///< 32 lower-case hex digits, not all zero
    std::string parent_id; ///< 16 lower-case hex digits, not all zero
    bool sampled = false;
    std::string state; ///< `tracestate`, forwarded unchanged

    /// "00-<trace id>-<parent id>-<flags>"
    std::string traceparent() const;
    /// JSON text as BullMQ's telemetry stores it in `tm`: {"traceparent":…[,"tracestate":…]}
    std::string to_json() const;
};

/// Nothing for text that the standard says to ignore: wrong length, upper case, all-zero ids, version ff. A
/// higher version is read by its first four fields.
std::optional<trace_context> parse_traceparent(std::string_view traceparent,
                                               std::string_view tracestate = {});

/// The context for work started here: a new trace, or the caller's with a new parent id.
trace_context continue_trace(const std::optional<trace_context>& caller);

} // namespace tiktrend::observe
