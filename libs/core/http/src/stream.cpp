#include "stream.hpp"

#include <fmt/format.h>

namespace tiktrend::http {
namespace {

void append_lines(std::string& out, std::string_view prefix, std::string_view text) {
    for (;;) {
        const auto end = text.find_first_of("\r\n");
        out.append(prefix).append(text.substr(0, end)) += '\n';
        if (end == std::string_view::npos) return;
        const bool pair = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
        text.remove_prefix(end + (pair ? 2 : 1));
    }
}

std::string_view one_line(std::string_view text) noexcept {
    return text.substr(0, text.find_first_of(std::string_view{"\r\n\0", 3}));
}

} // namespace

std::string format_event(std::string_view id, std::string_view event, std::string_view data) {
    std::string out;
    if (!id.empty()) out.append("id: ").append(one_line(id)) += '\n';
    if (!event.empty()) out.append("event: ").append(one_line(event)) += '\n';
    append_lines(out, "data: ", data);
    out += '\n';
    return out;
}

std::string format_comment(std::string_view text) {
    std::string out;
    append_lines(out, ": ", text);
    out += '\n';
    return out;
}

task<void> sse_stream::send(std::string_view id, std::string_view event, std::string_view data) {
    return write(format_event(id, event, data));
}

task<void> sse_stream::comment(std::string_view text) {
    return write(format_comment(text));
}

task<void> sse_stream::write(std::string text) {
    if (chunked_) text = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
    try {
        co_await connection_.send(text);
    } catch (...) {
        broken_ = true;
        throw;
    }
    sent_ += text.size();
}

} // namespace tiktrend::http
