#include <tiktrend/observe/trace_context.hpp>

#include <algorithm>
#include <cstdint>

namespace tiktrend::observe {
namespace {

bool is_lower_hex(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept {
    return text.find_first_not_of('0') == std::string_view::npos;
}

std::string random_hex(std::size_t digits, random_source& random) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string out;
    out.reserve(digits);
    while (out.size() < digits) {
        auto word = static_cast<std::uint32_t>(random.next() *
                                               4294967296.0); // [0, 1) has 53 random bits; 32 are taken
        for (int i = 0; i < 8 && out.size() < digits; ++i, word >>= 4)
            out += hex[word & 15];
    }
    if (is_zero(out)) out.back() = '1'; // all zero means "none"
    return out;
}

} // namespace

std::string trace_context::traceparent() const {
    return "00-" + trace_id + "-" + span_id + (sampled ? "-01" : "-00");
}

trace_context trace_context::child(random_source& random) const {
    auto out = *this;
    out.span_id = random_hex(16, random);
    return out;
}

std::optional<trace_context> parse_traceparent(std::string_view text) {
    constexpr std::size_t known_size = 55; // 2 + 1 + 32 + 1 + 16 + 1 + 2
    if (text.size() < known_size) return std::nullopt;
    const auto version = text.substr(0, 2), trace = text.substr(3, 32), span = text.substr(36, 16),
               flags = text.substr(53, 2);
    if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(span) || !is_lower_hex(flags))
        return std::nullopt;
    if (version == "ff" || is_zero(trace) || is_zero(span)) return std::nullopt;
    if (text.size() > known_size && (version == "00" || text[known_size] != '-')) return std::nullopt;
    trace_context out;
    out.trace_id = trace;
    out.span_id = span;
    const char last = flags[1]; // bit 0; the others have no meaning yet and are not passed on
    out.sampled = ((last <= '9' ? last - '0' : last - 'a' + 10) & 1) != 0;
    return out;
}

trace_context receive_trace(std::string_view traceparent, std::string_view tracestate,
                            random_source& random) {
    auto out = parse_traceparent(traceparent);
    if (!out) return new_trace(random);
    out->state = tracestate;
    return *out;
}

trace_context new_trace(random_source& random) {
    trace_context out;
    out.trace_id = random_hex(32, random);
    out.span_id = random_hex(16, random);
    return out;
}

} // namespace tiktrend::observe
