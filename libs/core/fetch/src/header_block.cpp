#include "header_block.hpp"

#include <charconv>

namespace tiktrend::fetch {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

} // namespace

bool header_block::add_line(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > max_bytes_) return false;
    if (complete_ && status_ >= 200) return true; // a trailer
    if (line.starts_with("HTTP/")) {
        fields_.clear();
        complete_ = false;
        status_ = 0;
        const auto space = line.find(' ');
        if (space != std::string_view::npos && space + 4 <= line.size())
            std::from_chars(line.data() + space + 1, line.data() + space + 4, status_);
        return true;
    }
    const auto content = trimmed(line);
    if (content.empty()) {
        complete_ = true;
        return true;
    }
    if (line.front() == ' ' || line.front() == '\t') { // obsolete folding, RFC 9112 section 5.2
        if (!fields_.empty()) (fields_.back().value += ' ') += content;
        return true;
    }
    const auto colon = content.find(':');
    if (colon == std::string_view::npos || colon == 0) return true;
    std::string name{content.substr(0, colon)};
    for (auto& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    header field;
    field.name = std::move(name);
    field.value = trimmed(content.substr(colon + 1));
    fields_.push_back(std::move(field));
    return true;
}

std::string header_block::joined(std::string_view name) const {
    std::string out;
    for (const auto& f : fields_) {
        if (f.name != name) continue;
        if (!out.empty()) out += ", ";
        out += f.value;
    }
    return out;
}

} // namespace tiktrend::fetch
