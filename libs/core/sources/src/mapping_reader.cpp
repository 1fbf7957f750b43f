#include "mapping_reader.hpp"

#include <tiktrend/base/config_reader.hpp>

#include <algorithm>

namespace tiktrend::sources {

mapping_reader::mapping_reader(mistakes& errors, const yaml_node& node, std::string field)
    : errors_{errors}, node_{node}, field_{std::move(field)} {
    if (!node.is_mapping()) errors.expected(node, field_, "a mapping");
}

const yaml_node* mapping_reader::take(std::string_view key) {
    known_.push_back(key);
    const auto* value = node_.find(key);
    return value != nullptr && !value->is_null() ? value : nullptr;
}

const yaml_node* mapping_reader::require(std::string_view key, std::string_view what) {
    const auto* value = take(key);
    if (value == nullptr && is_good())
        errors_.add(node_, path(key), fmt::format("is missing: expected {}", what));
    return value;
}

void mapping_reader::finish(std::initializer_list<planned> later) {
    for (const auto& m : node_.members) {
        if (std::find(known_.begin(), known_.end(), m.key) != known_.end()) continue;
        const auto plan =
            std::find_if(later.begin(), later.end(), [&](const planned& p) { return p.first == m.key; });
        if (plan != later.end())
            errors_.add(m.line, m.column, path(m.key),
                        fmt::format("is not supported by this version: {}", plan->second));
        else
            errors_.add(m.line, m.column, path(m.key),
                        fmt::format("unknown key; expected one of {}", fmt::join(known_, ", ")));
    }
}

std::optional<std::string> mapping_reader::text(std::string_view key, std::size_t max_bytes) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_scalar() || value->text.empty() || value->text.size() > max_bytes) {
        errors_.expected(*value, path(key), fmt::format("text of 1 to {} bytes", max_bytes));
        return std::nullopt;
    }
    return value->text;
}

std::optional<std::int64_t> mapping_reader::integer(std::string_view key, std::int64_t min,
                                                    std::int64_t max) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    const auto number = value->is_scalar() && value->is_plain ? to_integer(value->text) : std::nullopt;
    if (!number || *number < min || *number > max) {
        errors_.expected(*value, path(key), fmt::format("an integer from {} to {}", min, max));
        return std::nullopt;
    }
    return number;
}

std::optional<bool> mapping_reader::boolean(std::string_view key) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_scalar() && value->is_plain && (value->text == "true" || value->text == "false"))
        return value->text == "true";
    errors_.expected(*value, path(key), "true or false");
    return std::nullopt;
}

std::optional<std::chrono::milliseconds>
mapping_reader::duration(std::string_view key, std::chrono::milliseconds min, std::chrono::milliseconds max) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    const auto time =
        value->is_scalar() && value->text.size() < 12 ? parse_duration(value->text) : std::nullopt;
    if (!time || *time < min || *time > max) {
        errors_.expected(*value, path(key),
                         fmt::format("a duration with a unit (ms, s, m, h) from {} ms to {} ms", min.count(),
                                     max.count()));
        return std::nullopt;
    }
    return time;
}

std::optional<std::int64_t> mapping_reader::bytes(std::string_view key, std::int64_t min, std::int64_t max) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    const auto size = value->is_scalar() && value->text.size() < 12 ? parse_bytes(value->text) : std::nullopt;
    if (!size || *size < min || *size > max) {
        errors_.expected(*value, path(key),
                         fmt::format("bytes from {} to {}, plain or with KiB, MiB, GiB", min, max));
        return std::nullopt;
    }
    return size;
}

std::optional<std::vector<std::string>> mapping_reader::texts(std::string_view key) {
    const auto* value = take(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_scalar()) return std::vector{value->text};
    const auto is_text = [](const yaml_node& n) { return n.is_scalar() && !n.text.empty(); };
    if (!value->is_sequence() || !std::all_of(value->items.begin(), value->items.end(), is_text)) {
        errors_.expected(*value, path(key), "text or a list of texts");
        return std::nullopt;
    }
    std::vector<std::string> out;
    for (const auto& item : value->items)
        out.push_back(item.text);
    return out;
}

bool is_name(std::string_view text) noexcept {
    if (text.empty() || text.size() > 64 || text.front() < 'a' || text.front() > 'z') return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

} // namespace tiktrend::sources
