#include "copy/completion.hpp"

#include <tiktrend/base/json_text.hpp>

#include <simdjson.h>

namespace tiktrend::gateway {
namespace {

constexpr std::size_t max_line = 256U << 10;
constexpr std::size_t max_text = 256U << 10;
constexpr std::size_t max_error_text = 300;

simdjson::dom::parser& parser() {
    thread_local simdjson::dom::parser p;
    return p;
}

bool parse(std::string_view json, simdjson::dom::element& out) {
    return parser().parse(json.data(), json.size()).get(out) == simdjson::SUCCESS;
}

/// `/usage` and `/model`, where they are.
void read_cost(simdjson::dom::element e, completion& out) {
    std::string_view text;
    if (e.at_pointer("/model").get(text) == simdjson::SUCCESS) out.model = text;
    std::int64_t n = 0;
    if (e.at_pointer("/usage/prompt_tokens").get(n) == simdjson::SUCCESS && n > 0) out.tokens_in = n;
    if (e.at_pointer("/usage/completion_tokens").get(n) == simdjson::SUCCESS && n > 0) out.tokens_out = n;
}

} // namespace

std::optional<completion> parse_completion(std::string_view json) {
    simdjson::dom::element e;
    std::string_view text;
    if (!parse(json, e) || e.at_pointer("/choices/0/message/content").get(text) != simdjson::SUCCESS ||
        text.empty())
        return std::nullopt;
    completion out;
    out.text = text;
    read_cost(e, out);
    return out;
}

std::string error_text(std::string_view body) {
    simdjson::dom::element e;
    std::string_view text;
    if (!parse(body, e) || e.at_pointer("/error/message").get(text) != simdjson::SUCCESS) text = body;
    return repair_utf8(text.substr(0, max_error_text));
}

bool completion_reader::feed(std::string_view bytes) {
    while (!bytes.empty() && !done_) {
        const auto end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        if (line_.size() > max_line) return false;
        if (end == std::string_view::npos) return true;
        bytes.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        const bool good = take_line(line_);
        line_.clear();
        if (!good) return false;
    }
    return true;
}

bool completion_reader::take_line(std::string_view line) {
    if (!line.starts_with("data:")) return true; // comments, event names, the empty line between events
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") {
        done_ = true;
        return true;
    }
    simdjson::dom::element e;
    if (!parse(line, e) || e.at_key("error").error() == simdjson::SUCCESS) return false;
    read_cost(e, result_);
    std::string_view piece;
    if (e.at_pointer("/choices/0/delta/content").get(piece) == simdjson::SUCCESS && !piece.empty()) {
        if (result_.text.size() + piece.size() > max_text) return false;
        result_.text += piece;
        told_(piece);
    }
    return true;
}

} // namespace tiktrend::gateway
