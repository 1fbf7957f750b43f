#include "definition_parser.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_steps = 32;

/// ~1 and ~0 of RFC 6901; nothing for another ~.
std::optional<std::string> unescape_token(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] != '~') {
            out += token[i];
        } else if (i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
            out += token[++i] == '0' ? '~' : '/';
        } else {
            return std::nullopt;
        }
    }
    return out;
}

/// Digits without a zero in front are an index where they meet an array.
std::int64_t array_index(std::string_view token) noexcept {
    const bool is_digits = !token.empty() && std::all_of(token.begin(), token.end(),
                                                         [](char c) { return c >= '0' && c <= '9'; });
    if (!is_digits || (token.size() > 1 && token.front() == '0')) return -1;
    return to_integer(token).value_or(-1);
}

std::optional<path> parse_pointer(mistakes& errors, const yaml_node& node, std::string_view field) {
    path out;
    out.written = node.text;
    auto rest = std::string_view{node.text}.substr(1);
    while (true) {
        const auto end = std::min(rest.find('/'), rest.size());
        const auto token = unescape_token(rest.substr(0, end));
        if (!token || out.steps.size() == most_steps) {
            errors.expected(node, field,
                            "a JSON Pointer (RFC 6901) of at most 32 tokens, with ~ only in ~0 and ~1");
            return std::nullopt;
        }
        path_step step;
        step.type = path_step::kind::pointer;
        step.text = *token;
        step.index = array_index(*token);
        out.steps.push_back(std::move(step));
        if (end == rest.size()) return out;
        rest.remove_prefix(end + 1);
    }
}

bool parse_mapping_step(mistakes& errors, const yaml_node& node, const std::string& field, path_step& step) {
    mapping_reader keys{errors, node, field};
    const auto key = keys.text("key");
    const auto key_like = keys.text("key_like");
    const auto* where = keys.take("where");
    keys.finish();
    const int given = (key ? 1 : 0) + (key_like ? 1 : 0) + (where != nullptr ? 1 : 0);
    if (given != 1) {
        errors.add(node, field, "expected one of key, key_like, where");
        return false;
    }
    if (key) {
        step.text = *key;
        return true;
    }
    if (key_like) {
        step.type = path_step::kind::key_like;
        step.text = *key_like;
        return true;
    }
    step.type = path_step::kind::where;
    const auto is_good = where->is_mapping() && !where->members.empty() &&
                         std::all_of(where->members.begin(), where->members.end(),
                                     [](const auto& m) { return m.value.is_scalar(); });
    if (!is_good) {
        errors.expected(*where, child(field, "where"), "a mapping of member names to texts");
        return false;
    }
    for (const auto& m : where->members)
        step.conditions.emplace_back(m.key, m.value.text);
    return true;
}

bool parse_step(mistakes& errors, const yaml_node& node, const std::string& field, path_step& step) {
    if (node.is_mapping()) return parse_mapping_step(errors, node, field, step);
    if (!node.is_scalar()) {
        errors.expected(node, field,
                        "a step: a key, an index, \"*\", {key: …}, {key_like: …} or {where: {…}}");
        return false;
    }
    if (node.text == "*") {
        step.type = path_step::kind::every;
    } else if (const auto index = node.is_plain ? to_integer(node.text) : std::nullopt) {
        step.type = path_step::kind::index;
        step.index = *index;
    } else {
        step.text = node.text;
    }
    return true;
}

std::string show(const path_step& step) {
    switch (step.type) {
    case path_step::kind::index:
        return std::to_string(step.index);
    case path_step::kind::every:
        return "*";
    case path_step::kind::key_like:
        return fmt::format("key like {}", step.text);
    case path_step::kind::where:
        return "where …";
    default:
        return step.text;
    }
}

} // namespace

std::optional<path> parse_path(mistakes& errors, const yaml_node& node, std::string_view field) {
    if (node.is_scalar() && node.text.starts_with('/')) return parse_pointer(errors, node, field);
    if (!node.is_sequence()) {
        errors.expected(node, field, path_form);
        return std::nullopt;
    }
    if (node.items.size() > most_steps) {
        errors.add(node, field, "has more than 32 steps");
        return std::nullopt;
    }
    path out;
    bool is_good = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        path_step step;
        is_good = parse_step(errors, node.items[i], child(field, i), step) && is_good;
        if (!out.written.empty()) out.written += " > ";
        out.written += show(step);
        out.steps.push_back(std::move(step));
    }
    if (!is_good) return std::nullopt;
    return out;
}

} // namespace tiktrend::sources
