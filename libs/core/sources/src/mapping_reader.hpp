#pragma once
// Reading a definition's YAML tree with every mistake noted at its place.
#include "yaml_tree.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::sources {

/// Collects the mistakes of one file.
class mistakes {
public:
    explicit mistakes(std::string_view file) : file_{file} {}

    void add(const yaml_node& at, std::string_view field, std::string message) {
        add(at.line, at.column, field, std::move(message));
    }
    void add(int line, int column, std::string_view field, std::string message) {
        errors_.push_back({file_, line, column, std::string{field}, std::move(message)});
    }
    /// "expected …, found …"
    void expected(const yaml_node& at, std::string_view field, std::string_view what) {
        add(at, field, fmt::format("expected {}, found {}", what, at.describe()));
    }
    std::vector<definition_error>& all() noexcept { return errors_; }
    bool any() const noexcept { return !errors_.empty(); }

private:
    std::string file_;
    std::vector<definition_error> errors_;
};

/// A dotted path and one more step: `child("fields", "title")` is "fields.title".
inline std::string child(std::string_view parent, std::string_view name) {
    return parent.empty() ? std::string{name} : fmt::format("{}.{}", parent, name);
}
inline std::string child(std::string_view parent, std::size_t index) {
    return fmt::format("{}[{}]", parent, index);
}

/// A mapping whose keys are all known. Call take() for every key that may be there, then finish(), which
/// reports the others.
class mapping_reader {
public:
    /// Keys that the format plans but this version does not read, each with what it waits for.
    using planned = std::pair<std::string_view, std::string_view>;

    mapping_reader(mistakes& errors, const yaml_node& node, std::string field);

    bool is_good() const noexcept { return node_.is_mapping(); }
    /// The value, or null if the key is absent (an explicit null counts as absent).
    const yaml_node* take(std::string_view key);
    /// take(), and a mistake if it is absent.
    const yaml_node* require(std::string_view key, std::string_view what);
    void finish(std::initializer_list<planned> later = {});

    std::string path(std::string_view key) const { return child(field_, key); }
    const std::string& field() const noexcept { return field_; }
    const yaml_node& node() const noexcept { return node_; }

    // A key with a scalar of one kind. Absent: nothing, without a mistake.
    std::optional<std::string> text(std::string_view key, std::size_t max_bytes = 2000);
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
    std::optional<bool> boolean(std::string_view key);
    std::optional<std::chrono::milliseconds> duration(std::string_view key, std::chrono::milliseconds min,
                                                      std::chrono::milliseconds max);
    std::optional<std::int64_t> bytes(std::string_view key, std::int64_t min, std::int64_t max);
    /// A list of scalars; a lone scalar counts as a list of one.
    std::optional<std::vector<std::string>> texts(std::string_view key);

    template <class T, std::size_t N>
    std::optional<T> choice(std::string_view key,
                            const std::array<std::pair<std::string_view, T>, N>& choices) {
        const auto* value = take(key);
        if (value == nullptr) return std::nullopt;
        if (value->is_scalar())
            for (const auto& [name, result] : choices)
                if (value->text == name) return result;
        std::vector<std::string_view> names;
        for (const auto& c : choices)
            names.push_back(c.first);
        errors_.expected(*value, path(key), fmt::format("one of {}", fmt::join(names, ", ")));
        return std::nullopt;
    }

private:
    mistakes& errors_;
    const yaml_node& node_;
    std::string field_;
    std::vector<std::string_view> known_;
};

/// Lower-case letters, digits and underscores, beginning with a letter: names of inputs, fields, documents,
/// secrets.
bool is_name(std::string_view text) noexcept;

} // namespace tiktrend::sources
