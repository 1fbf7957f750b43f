#include "yaml_json.hpp"

#include <tiktrend/base/json_text.hpp>

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace tiktrend::gateway {
namespace {

bool append_number(std::string& out, const std::string& text) {
    const auto end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto r = std::from_chars(text.data(), end, whole); r.ec == std::errc{} && r.ptr == end) {
        append_json_number(out, whole);
        return true;
    }
    double number = 0;
    const auto r = std::from_chars(text.data(), end, number);
    if (r.ec != std::errc{} || r.ptr != end || !std::isfinite(number)) return false;
    append_json_number(out, number);
    return true;
}

void append_scalar(std::string& out, const YAML::Node& node) {
    const auto& text = node.Scalar();
    const bool is_plain = node.Tag() != "!"; // yaml-cpp tags quoted scalars so
    if (is_plain && (text == "true" || text == "false"))
        out += text;
    else if (!is_plain || !append_number(out, text))
        append_json_string(out, text);
}

void append(std::string& out, const YAML::Node& node) {
    switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
        out += "null";
        break;
    case YAML::NodeType::Scalar:
        append_scalar(out, node);
        break;
    case YAML::NodeType::Sequence: {
        out += '[';
        bool is_first = true;
        for (const auto& item : node) {
            if (!std::exchange(is_first, false)) out += ',';
            append(out, item);
        }
        out += ']';
        break;
    }
    case YAML::NodeType::Map: {
        out += '{';
        bool is_first = true;
        for (const auto& member : node) {
            if (!std::exchange(is_first, false)) out += ',';
            append_json_string(out, member.first.Scalar());
            out += ':';
            append(out, member.second);
        }
        out += '}';
        break;
    }
    }
}

} // namespace

std::string yaml_to_json(std::string_view yaml) {
    std::string out;
    try {
        append(out, YAML::Load(std::string{yaml}));
    } catch (const YAML::Exception& e) {
        throw std::runtime_error(e.what());
    }
    return out;
}

} // namespace tiktrend::gateway
