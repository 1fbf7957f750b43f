#include "canonical_json.hpp"

#include <tiktrend/base/json_text.hpp>

#include <simdjson.h>

#include <map>
#include <utility>

namespace tiktrend::gateway {
namespace {

namespace dom = simdjson::dom;

/// The parser bounds the depth (1,024).
void append(std::string& out, dom::element e) {
    if (dom::array items; e.get(items) == simdjson::SUCCESS) {
        out += '[';
        bool first = true;
        for (const auto item : items) {
            if (!std::exchange(first, false)) out += ',';
            append(out, item);
        }
        out += ']';
        return;
    }
    if (dom::object object; e.get(object) == simdjson::SUCCESS) {
        std::multimap<std::string_view, dom::element> members; // equal names keep their order
        for (const auto member : object)
            members.emplace(member.key, member.value);
        out += '{';
        for (const auto& [name, value] : members) {
            if (out.back() != '{') out += ',';
            append_json_string(out, name);
            out += ':';
            append(out, value);
        }
        out += '}';
        return;
    }
    out += simdjson::minify(e);
}

} // namespace

std::string canonical_json(std::string_view text) {
    dom::parser parser;
    dom::element root;
    if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::string{text};
    std::string out;
    out.reserve(text.size());
    append(out, root);
    return out;
}

} // namespace tiktrend::gateway
