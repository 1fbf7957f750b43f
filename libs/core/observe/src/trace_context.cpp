#include <tiktrend/base/json_text.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/observe/trace_context.hpp>

#include <algorithm>

namespace tiktrend::observe {
namespace {

bool is_hex(std::string_view s) {
    return std::all_of(s.begin(), s.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view s) {
    return is_hex(s) && s.find_first_not_of('0') != std::string_view::npos;
}

std::string hex(const std::string& bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const unsigned char c : bytes) {
        out += digits[c >> 4];
        out += digits[c & 15];
    }
    return out;
}

} // namespace

std::string trace_context::traceparent() const {
    return "00-" + trace_id + '-' + parent_id + (sampled ? "-01" : "-00");
}

std::string trace_context::to_json() const {
    std::string out = R"({"traceparent":)";
    append_json_string(out, traceparent());
    if (!state.empty()) {
        out += R"(,"tracestate":)";
        append_json_string(out, state);
    }
    return out + '}';
}

std::optional<trace_context> parse_traceparent(std::string_view text, std::string_view state) {
    constexpr std::size_t length = 55; // 00-<32>-<16>-<2>
    if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    const auto version = text.substr(0, 2);
    if (!is_hex(version) || version == "ff") return std::nullopt;
    if (version == "00" ? text.size() != length : text.size() > length && text[length] != '-')
        return std::nullopt;
    const auto trace_id = text.substr(3, 32);
    const auto parent_id = text.substr(36, 16);
    const auto flags = text.substr(53, 2);
    if (!is_id(trace_id) || !is_id(parent_id) || !is_hex(flags)) return std::nullopt;
    const char low = flags[1];
    const int value = low <= '9' ? low - '0' : low - 'a' + 10;
    return trace_context{std::string{trace_id}, std::string{parent_id}, (value & 1) != 0, std::string{state}};
}

trace_context continue_trace(const std::optional<trace_context>& caller) {
    trace_context out;
    out.parent_id = hex(random_bytes(8));
    if (caller) {
        out.trace_id = caller->trace_id;
        out.sampled = caller->sampled;
        out.state = caller->state;
    } else {
        out.trace_id = hex(random_bytes(16));
    }
    return out;
}

} // namespace tiktrend::observe
