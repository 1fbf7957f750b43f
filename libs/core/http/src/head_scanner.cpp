#include "head_scanner.hpp"

#include <algorithm>
#include <cstring>

namespace tiktrend::http {
namespace {

constexpr std::size_t max_empty_lines_bytes = 4; ///< RFC 9112 section 2.2 asks for at least one
constexpr std::size_t around_target = 64;        ///< method, two blanks and version

} // namespace

head_scanner::verdict head_scanner::refuse(int status, const char* code, const char* detail) noexcept {
    refusal_ = {status, code, detail};
    return verdict::refused;
}

head_scanner::verdict head_scanner::scan(std::string_view all) noexcept {
    while (looked_at_ < all.size()) {
        const char* from = all.data() + looked_at_;
        const auto* newline = static_cast<const char*>(std::memchr(from, '\n', all.size() - looked_at_));
        if (!newline) {
            looked_at_ = all.size();
            break;
        }
        const auto line_end = static_cast<std::size_t>(newline - all.data());
        const auto line = all.substr(line_begin_, line_end - line_begin_);
        looked_at_ = line_end + 1;
        if (line.empty() || line.back() != '\r')
            return refuse(400, "bad_line_ending", "A line of the head ends without CR LF.");
        line_begin_ = looked_at_;
        if (const auto v = end_line(line.substr(0, line.size() - 1)); v != verdict::more) return v;
    }
    // What is not complete yet has bounds too.
    const auto pending = all.size() - line_begin_;
    if (fields_begin_ == 0 && pending > limits_.max_target_bytes + around_target)
        return refuse(414, "target_too_long", "The request target is too long.");
    if (fields_begin_ != 0 && all.size() - fields_begin_ > limits_.max_header_bytes + 2)
        return refuse(431, "header_too_large", "The header fields are too large.");
    return verdict::more;
}

head_scanner::verdict head_scanner::end_line(std::string_view line) noexcept {
    if (fields_begin_ == 0) {
        if (line.empty()) {
            skipped_ = line_begin_;
            if (skipped_ > max_empty_lines_bytes)
                return refuse(400, "bad_request_line", "The request begins with empty lines.");
            return verdict::more;
        }
        const auto first = line.find(' '), last = line.rfind(' ');
        if (first != std::string_view::npos && last > first && last - first - 1 > limits_.max_target_bytes)
            return refuse(414, "target_too_long", "The request target is too long.");
        if (line.size() > limits_.max_target_bytes + around_target)
            return refuse(400, "bad_request_line", "The request line is too long.");
        fields_begin_ = line_begin_;
        return verdict::more;
    }
    if (line_begin_ - fields_begin_ > limits_.max_header_bytes + 2) // the empty line is not a field
        return refuse(431, "header_too_large", "The header fields are too large.");
    if (line.empty()) return verdict::complete;
    if (line.front() == ' ' || line.front() == '\t')
        return refuse(400, "folded_header", "A header field is folded over several lines.");
    if (++fields_ > limits_.max_header_fields)
        return refuse(431, "too_many_header_fields", "There are too many header fields.");
    return verdict::more;
}

} // namespace tiktrend::http
